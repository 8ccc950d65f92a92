// The Apps and Books token of Apple Business Manager, and the licenses of Okta Verify that are left.
import { Alert, Group, List, Paper, Stack, Text, Title } from '@mantine/core';
import { ApiProblem, call } from '../client.ts';
import { odetteLine } from '../odette-line.ts';
import { CommandLine } from '../components/command-line.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { SecretSetText } from '../components/secret-input.tsx';
import { useApiQuery } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countText } from '../labels.ts';
import { DaysLeft } from './days-left.tsx';
import { UploadForm } from './upload-form.tsx';
import { Remedy } from '../components/remedy.tsx';

export function Licenses() {
  const query = useApiQuery('getAppsAndBooks', {});
  const isAdmin = useMay('admin');
  const isMissing =
    query.error instanceof ApiProblem && query.error.problem.code === 'apps_and_books.token_missing';
  return (
    <Stack maw="46rem">
      {isMissing ? (
        <Alert color="orange" title="No Apps and Books token">
          Without it, no device gets an Okta Verify license.
        </Alert>
      ) : (
        <Loaded query={query}>
          {(found) => (
            <Paper withBorder p="md">
              <Group justify="space-between">
                <Title order={2} size="h4">
                  {found.organization}
                </Title>
                <DaysLeft days={found.daysLeft} />
              </Group>
              {found.failure && (
                <Alert color="red" title={found.failure.title} my="sm">
                  <Remedy text={found.failure.remedy} />
                </Alert>
              )}
              <Text size="sm">Location: {found.location}</Text>
              {found.licenses ? (
                found.licenses.platforms.map(({ platform, total, available }) => (
                  <Text key={platform} size="sm">
                    Okta Verify for {platform}:{' '}
                    {total === 0
                      ? 'no licenses'
                      : `${countText(available)} of ${countText(total)} licenses left`}
                  </Text>
                ))
              ) : (
                <Text size="sm">
                  Okta Verify: Odette cannot read the number of available licenses from Apple
                </Text>
              )}
              <Text size="sm">
                Expires <Moment at={found.expiresAt} />.{' '}
                {found.token && (
                  <>
                    <SecretSetText set={found.token} />.
                  </>
                )}
              </Text>
            </Paper>
          )}
        </Loaded>
      )}
      <Paper withBorder p="md">
        <Title order={2} size="h4" mb="xs">
          How to get it
        </Title>
        <List size="sm" type="ordered">
          <List.Item>
            Apple Business Manager › Apps and Books › Okta Verify: get licenses (free of charge).
          </List.Item>
          <List.Item>
            Your name › Preferences › Payments and Billing › Apps and Books › Content Tokens: download.
          </List.Item>
          <List.Item>Upload the file here. Use a location that no other MDM server uses.</List.Item>
        </List>
      </Paper>
      {isAdmin && <Upload hasOne={query.data !== undefined} />}
      <CommandLine command={odetteLine(['apps-and-books', 'set', 'FILE'])} />
    </Stack>
  );
}

function Upload({ hasOne }: { hasOne: boolean }) {
  return (
    <UploadForm
      title={hasOne ? 'Replace it' : 'Upload it'}
      field={{
        label: 'Content token',
        description: 'The file as downloaded (.vpptoken)',
        accept: '.vpptoken,.txt',
      }}
      fileFields={['token']}
      upload={async (file, isConfirmed) =>
        call('setAppsAndBooks', {
          body: { token: await file.text(), ...(isConfirmed && { confirmTakeover: true }) },
        })
      }
      confirmable={{
        code: 'apps_and_books.held_by_other',
        title: 'Another MDM server uses this location',
        confirmLabel: 'Take it over',
        command: odetteLine(['apps-and-books', 'set', 'FILE'], ['--take-over']),
        words: ({ facts }) => (
          <Text size="sm">
            The location <b>{facts?.['location']}</b> is used by <b>{facts?.['heldBy']}</b>. Two servers on
            one location take each other’s licenses. Cancel and use a separate location, or take this one
            over.
          </Text>
        ),
      }}
      refreshes={['getAppsAndBooks', 'getStatus']}
      doneMessage="The token is in use."
    />
  );
}

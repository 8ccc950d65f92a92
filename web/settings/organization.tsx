// The organization as its users see it when they enroll a device: name and logo.
import { Button, Group, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { addressOf } from '../client.ts';
import { CommandLine } from '../components/command-line.tsx';
import { base64Of } from '../components/file-content.ts';
import { FileField } from '../components/file-field.tsx';
import { Loaded } from '../components/page.tsx';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';

type Found = ResponseOf<'getOrganization'>;

export function Organization() {
  const query = useApiQuery('getOrganization', {});
  return (
    <Stack maw="46rem">
      <Text size="sm">Users see this name and logo on the enrollment page.</Text>
      <Loaded query={query}>
        {/* Anew when it is saved: the form begins with what holds. */}
        {(found) => <Form key={JSON.stringify(found)} found={found} />}
      </Loaded>
    </Stack>
  );
}

function Form({ found }: { found: Found }) {
  const isAdmin = useMay('admin');
  const [name, setName] = useState(found.name ?? '');
  const [logo, setLogo] = useState<File>();
  const change = useChange('setOrganization', ['getOrganization'], () =>
    notifications.show({ message: 'Saved. The enrollment page shows it.', color: 'green' }),
  );
  const wanted = name.trim() === '' ? null : name.trim();
  const save = async () => {
    const png = logo && base64Of(new Uint8Array(await logo.arrayBuffer()));
    change.mutate({ body: { name: wanted, ...(png !== undefined && { logo: png }) } });
  };
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            Organization
          </Title>
          <TextInput
            label="Name"
            description="If empty, users see “Your organization”."
            value={name}
            maxLength={100}
            disabled={!isAdmin}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fieldError(change.error, 'name')}
          />
          {found.logoHash !== null && (
            <Logo
              hash={found.logoHash}
              remove={isAdmin ? () => change.mutate({ body: { name: found.name, logo: null } }) : undefined}
            />
          )}
          {isAdmin && (
            <>
              <FileField
                label={found.logoHash === null ? 'Logo' : 'Another logo'}
                description="A PNG of at most 100 KB and 1,024 pixels per side. Odette keeps only the image and discards everything else in the file."
                accept="image/png"
                choose={(file) => {
                  change.reset();
                  setLogo(file);
                }}
                error={fieldError(change.error, 'logo')}
              />
              <ProblemAlert error={change.error} exceptFields={['name', 'logo']} />
              <Group justify="flex-end">
                <Button
                  type="submit"
                  loading={change.isPending}
                  disabled={wanted === found.name && logo === undefined}
                >
                  Save
                </Button>
              </Group>
              <CommandLine
                command={odetteLine(
                  ['organization', 'set', ...(wanted === null ? ['--no-name'] : [])],
                  ['--name', wanted ?? undefined],
                  ['--logo', logo?.name],
                )}
              />
            </>
          )}
        </Stack>
      </form>
    </Paper>
  );
}

function Logo({ hash, remove }: { hash: string; remove: (() => void) | undefined }) {
  return (
    <Group>
      <img src={addressOf('getOrganizationLogo', { query: { hash } })} alt="Logo" className="logo" />
      {remove && (
        <Button size="xs" variant="default" onClick={remove}>
          Remove logo
        </Button>
      )}
    </Group>
  );
}

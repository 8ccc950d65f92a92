// The payload set of a device and the exact profiles: to look at, copy or download. Secrets are masked by the API.
import { Anchor, Badge, Button, Code, Group, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { ResponseOf } from '../client.ts';
import { CopyIconButton } from '../components/copy-value.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import type { DeviceDetail } from './truth-list.tsx';
import { ListTable } from '../components/list-table.tsx';

const KIND_LABELS: Readonly<Record<string, string>> = {
  certificate: 'Certificate',
  'certificate.a': 'Certificate, slot a',
  'certificate.b': 'Certificate, slot b',
  settings: 'Okta Verify settings and login item',
  sso: 'SSO extension',
  app_configuration: 'Managed app configuration',
};

type Profile = ResponseOf<'getDeviceProfiles'>['items'][number];

export function PayloadList({ device }: { device: DeviceDetail }) {
  const profiles = useApiQuery('getDeviceProfiles', { params: { id: device.id } });
  const [shown, show] = useState<Profile>();
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="payloads">
      <Title order={2} size="h4" id="payloads" mb="sm">
        Payload set
      </Title>
      {device.payloadSet.length === 0 && (
        <Text size="sm" c="dimmed" mb="sm">
          Nothing has been sent yet.
        </Text>
      )}
      {device.payloadSet.length > 0 && (
        <ListTable label="Payloads sent" heads={['Payload', 'Revision', 'Sent', 'On the device']}>
          {device.payloadSet.map((payload) => (
            <Table.Tr key={payload.identifier}>
              <Table.Td>
                {KIND_LABELS[payload.kind] ?? payload.kind}
                <Text size="xs" c="dimmed" className="break-anywhere">
                  {payload.identifier}
                </Text>
              </Table.Td>
              <Table.Td>
                <Code>{payload.revision?.slice(0, 12) ?? '–'}</Code>
              </Table.Td>
              <Table.Td>
                <Moment at={payload.sentAt} />
              </Table.Td>
              <Table.Td>
                <Badge variant="light" color={payload.onDevice ? 'green' : 'yellow'} tt="none">
                  {payload.onDevice ? 'Listed' : 'Not listed'}
                </Badge>
              </Table.Td>
            </Table.Tr>
          ))}
        </ListTable>
      )}
      <Loaded query={profiles} lines={2}>
        {({ items }) => (
          <Group gap="xs" mt="sm">
            {items.map((profile) => (
              <Button key={profile.kind} size="xs" variant="default" onClick={() => show(profile)}>
                View {profile.displayName}
              </Button>
            ))}
          </Group>
        )}
      </Loaded>
      <Dialog
        opened={shown !== undefined}
        onClose={() => show(undefined)}
        title={shown?.displayName}
        size="xl"
      >
        {shown && <ProfileText profile={shown} />}
      </Dialog>
    </Paper>
  );
}

function ProfileText({ profile }: { profile: Profile }) {
  const href = () => {
    const url = URL.createObjectURL(new Blob([profile.xml], { type: 'application/xml' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${profile.identifier ?? profile.kind}.xml`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Stack>
      <Text size="sm">
        {profile.onDevice ? 'The device lists this revision.' : 'The device does not list this revision.'}{' '}
        Secrets are masked.
      </Text>
      <Group gap="xs">
        <Anchor component="button" type="button" onClick={href} size="sm">
          Download
        </Anchor>
        <CopyIconButton value={profile.xml} what="profile" />
      </Group>
      <Code block className="evidence" tabIndex={0} role="region" aria-label="XML of the profile">
        {profile.xml}
      </Code>
    </Stack>
  );
}

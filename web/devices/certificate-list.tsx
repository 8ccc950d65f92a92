// The certificates of a Mac: the one in use, the one before it, and what became of others.
import { Badge, Paper, Table, Text, Title } from '@mantine/core';
import { Moment } from '../components/moment.tsx';
import type { DeviceDetail } from './truth-list.tsx';
import { ListTable } from '../components/list-table.tsx';

const STATES = {
  sent: { label: 'Sent, not reported yet', color: 'yellow' },
  proven: { label: 'On the device', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
  superseded: { label: 'Replaced', color: 'gray' },
  removed: { label: 'Removed', color: 'gray' },
} as const;

const USES = { none: 'Not known', probable: 'Probably', proven: 'Yes' } as const;

export function CertificateList({ device }: { device: DeviceDetail }) {
  if (device.platform === 'iOS') return null;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="certificates">
      <Title order={2} size="h4" id="certificates" mb="sm">
        Certificates
      </Title>
      {device.certificates.length === 0 ? (
        <Text size="sm" c="dimmed">
          No certificate yet.
        </Text>
      ) : (
        <ListTable
          label="Table of certificates"
          heads={[
            'State',
            'Keychain and slot',
            'Serial and issuer',
            'Expires',
            'Sent',
            'Proven',
            'Used by a sign-in',
          ]}
        >
          {device.certificates.map((one) => (
            <Table.Tr key={one.deliveryId}>
              <Table.Td>
                <Badge variant="light" color={STATES[one.state].color} tt="none">
                  {STATES[one.state].label}
                </Badge>
              </Table.Td>
              <Table.Td>
                {one.scope === 'User' ? 'Login' : 'System'}, {one.slot}
              </Table.Td>
              <Table.Td>
                <Text size="xs" className="break-anywhere">
                  {one.serialNumber ?? '–'}
                </Text>
                <Text size="xs" c="dimmed" className="break-anywhere">
                  {one.issuer ?? ''}
                </Text>
              </Table.Td>
              <Table.Td>
                <Moment at={one.notAfter} />
              </Table.Td>
              <Table.Td>
                <Moment at={one.sentAt} />
              </Table.Td>
              <Table.Td>
                <Moment at={one.provenAt} />
              </Table.Td>
              <Table.Td>
                <Text size="xs">{one.state === 'proven' ? USES[one.use] : '–'}</Text>
                <Text size="xs" c="dimmed">
                  {one.useEvidence ?? ''}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </ListTable>
      )}
    </Paper>
  );
}

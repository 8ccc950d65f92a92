// What is known about a device itself, its app, its license and Okta's records of it.
import { Alert, Anchor, Badge, Button, Paper, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { notifications } from '@mantine/notifications';
import { ModelName } from '../components/device-labels.tsx';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import type { DeviceDetail } from './truth-list.tsx';
import { Remedy } from '../components/remedy.tsx';

const MATCH_LABELS = {
  serial_number: 'matched by serial number and UDID',
  user_and_model: 'matched by user and model (iPhones and iPads do not send Okta their serial number)',
  likely: 'likely this device: the newest record of its user and model',
  ambiguous: 'matches several devices of this user',
} as const;
const LICENSE_LABELS = {
  associating: 'Being assigned',
  associated: 'Assigned',
  failed: 'Failed',
  returning: 'Being returned',
} as const;

/** Odette's own server needs no words: it lacks nothing. */
function ChannelFact({ device: { channel } }: { device: DeviceDetail }) {
  if (channel.kind === 'built_in') return channel.name;
  return (
    <>
      <AnchorLink to="/channels" size="sm">
        {channel.name}
      </AnchorLink>
      <Text size="sm">{channel.cannot}</Text>
    </>
  );
}

export function DeviceFacts({ device }: { device: DeviceDetail }) {
  const rows: [string, ReactNode][] = [
    ['Serial number', device.serialNumber ?? '–'],
    ['UDID', device.udid],
    ['Model', <ModelName key="model" device={device} />],
    ['System', [device.platform, device.osVersion].filter(Boolean).join(' ')],
    ['Supervised', device.isSupervised === null ? '–' : device.isSupervised ? 'Yes' : 'No'],
    ['User', device.user ?? '–'],
    ['Blueprint', device.blueprint?.name ?? '–'],
    ['Channel', <ChannelFact key="channel" device={device} />],
    ['Enrolled', <Moment key="enrolled" at={device.enrolledAt} />],
    ['Last contact', <Moment key="contact" at={device.lastContactAt} />],
    [
      'Okta Verify',
      [
        device.oktaVerify?.status ?? 'Not seen',
        device.oktaVerify?.version,
        device.oktaVerify?.isAppStore === false ? 'not from the App Store' : undefined,
      ]
        .filter(Boolean)
        .join(', '),
    ],
    ...(device.iosKeyRead === null
      ? []
      : [
          [
            'iOS secret key',
            <span key="key">
              Read <Moment at={device.iosKeyRead.at} />;{' '}
              <AnchorLink
                to="/integrations/$integrationId"
                params={{ integrationId: device.iosKeyRead.integrationId }}
                size="sm"
              >
                replace it
              </AnchorLink>{' '}
              if this device is in the wrong hands
            </span>,
          ] as [string, ReactNode],
        ]),
    ['License', device.license ? LICENSE_LABELS[device.license.state] : '–'],
  ];
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="facts">
      <Title order={2} size="h4" id="facts" mb="sm">
        Device
      </Title>
      <Table withRowBorders={false} verticalSpacing={4}>
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th scope="row" w={140} fw={600} style={{ verticalAlign: 'top' }}>
                {label}
              </Table.Th>
              <Table.Td className="break-anywhere">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

/** What Okta's record means and who acts. If Okta names another user, one click sets that user. */
function FindingText({ device }: { device: DeviceDetail }) {
  const mayAct = useMay('operator');
  const change = useChange('updateDevice', ['getDevice', 'getDeviceTimeline', 'listDevices'], () =>
    notifications.show({ message: 'Odette has set the user of this device.', color: 'green' }),
  );
  const finding = device.oktaFinding;
  if (finding === null || finding.owner === 'nobody') return null;
  const { user } = finding;
  return (
    <Alert color={finding.owner === 'user' ? 'blue' : 'orange'} mb="sm" title={finding.evidence}>
      <Remedy text={finding.remedy} />
      {mayAct && finding.kind === 'managed_for_other' && user !== null && (
        <Button
          mt="xs"
          size="xs"
          loading={change.isPending}
          onClick={() => change.mutate({ params: { id: device.id }, body: { user } })}
        >
          Set user to {user}
        </Button>
      )}
      <ProblemAlert error={change.error} />
    </Alert>
  );
}

export function OktaRecords({ device }: { device: DeviceDetail }) {
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="okta">
      <Title order={2} size="h4" id="okta" mb="sm">
        In Okta
      </Title>
      <FindingText device={device} />
      {device.oktaRecords.length === 0 && (
        <Text size="sm" c="dimmed">
          Okta has no record of this device yet. Okta creates it when the user registers Okta Verify.
        </Text>
      )}
      <Stack>
        {device.oktaRecords.map((record) => (
          <div key={record.oktaId}>
            <Text size="sm">
              <Badge variant="light" color={record.status === 'ACTIVE' ? 'green' : 'gray'} tt="none">
                {record.status}
              </Badge>{' '}
              <Anchor href={record.adminUrl} target="_blank" rel="noreferrer noopener" size="sm">
                Open {record.oktaId} in Okta
              </Anchor>
            </Text>
            {record.users.map(({ login, managementStatus }) => (
              <Text key={login} size="sm" className="break-anywhere">
                {login}: {managementStatus}
              </Text>
            ))}
            <Text size="xs" c="dimmed">
              {record.match === null ? '' : `${MATCH_LABELS[record.match]}; `}seen{' '}
              <Moment at={record.observedAt} />
            </Text>
          </div>
        ))}
        {device.oktaRecords.some(({ match }) => match === 'ambiguous') && (
          <Alert color="yellow">
            Okta lists two similar devices for this user. Odette cannot tell which one this is.
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

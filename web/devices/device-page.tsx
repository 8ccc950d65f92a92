// One device: what it waits for and who acts next, what can be shown about it, and how it came to be so.
import { Anchor, Badge, Group, Paper, SimpleGrid, Stack, Table, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { BucketBadge, FamilyMark } from '../components/device-labels.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { deviceTitle, tookText } from '../labels.ts';
import { DoctorCard } from '../doctor/doctor-card.tsx';
import { CertificateList } from './certificate-list.tsx';
import { DeviceActions, DeviceDialogs, type DeviceDialog } from './device-actions.tsx';
import { DeviceFacts, OktaRecords } from './device-facts.tsx';
import { NextStepBanner } from './next-step.tsx';
import { DeviceTimeline } from './device-timeline.tsx';
import { PayloadList } from './payload-list.tsx';
import { UnreadableResponses } from './unreadable-responses.tsx';
import { SerialTwins } from './serial-twins.tsx';
import { TruthList, type DeviceDetail } from './truth-list.tsx';

export function DevicePage() {
  const { deviceId } = useParams({ from: '/inside/devices/$deviceId' });
  const query = useApiQuery('getDevice', { params: { id: deviceId } }, { everyMs: 20_000 });
  const mayAct = useMay('operator');
  const mayRead = useMay('admin');
  const [opened, setOpen] = useState<DeviceDialog>();
  const device = query.data?.id === deviceId ? query.data : undefined;
  return (
    <Page
      title={device ? deviceTitle(device) : 'Device'}
      help="device-states"
      above={[{ label: 'Devices', to: { to: '/devices' } }]}
      intro={device && <Head device={device} />}
      actions={device && mayAct ? <DeviceActions device={device} open={setOpen} /> : undefined}
    >
      <Loaded query={query} lines={10}>
        {(found) => (
          <Stack>
            <NextStepBanner device={found} open={setOpen} />
            <DeviceDialogs device={found} opened={opened} close={() => setOpen(undefined)} />
            <SerialTwins device={found} />
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <TruthList device={found} />
              <Stack>
                <DeviceFacts device={found} />
                <OktaRecords device={found} />
              </Stack>
            </SimpleGrid>
            <DoctorCard deviceId={found.id} />
            <PayloadList device={found} />
            <CertificateList device={found} />
            {mayRead && <UnreadableResponses deviceId={found.id} />}
            <SimpleGrid cols={{ base: 1, lg: 2 }}>
              <DeviceTimeline deviceId={found.id} />
              <Runs device={found} />
            </SimpleGrid>
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Head({ device }: { device: DeviceDetail }) {
  return (
    <Group gap="sm">
      <FamilyMark family={device.family} />
      <BucketBadge bucket={device.bucket} />
      {device.enrollmentStatus !== 'enrolled' && (
        <Badge variant="light" color="gray" tt="none">
          {device.enrollmentStatus.replace('_', ' ')}
        </Badge>
      )}
    </Group>
  );
}

function Runs({ device }: { device: DeviceDetail }) {
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="runs">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="runs">
          Rollouts of this device
        </Title>{' '}
        {device.temporalUrl !== null && (
          <Anchor href={device.temporalUrl} target="_blank" rel="noreferrer noopener" size="sm">
            Open in the Temporal UI
          </Anchor>
        )}
      </Group>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Started</Table.Th>
            <Table.Th scope="col">Took</Table.Th>
            <Table.Th scope="col">Outcome</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {device.rollouts.map((run) => (
            <Table.Tr key={run.runId}>
              <Table.Td>
                <Moment at={run.startedAt} />
              </Table.Td>
              <Table.Td>{tookText(run)}</Table.Td>
              <Table.Td>
                {run.outcome === null
                  ? 'Running'
                  : run.outcome === 'completed'
                    ? 'Delivered'
                    : run.failure?.title}{' '}
                {run.temporalUrl !== null && (
                  <Anchor href={run.temporalUrl} target="_blank" rel="noreferrer noopener" size="xs">
                    Workflow
                  </Anchor>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
          {device.rollouts.length === 0 && (
            <Table.Tr>
              <Table.Td colSpan={3}>None yet.</Table.Td>
            </Table.Tr>
          )}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

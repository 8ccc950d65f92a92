// Rollouts over the fleet: how far they are, what failed and why, and what runs.
import { Anchor, Card, Group, Progress, Table, Tabs, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { DeviceLink } from '../components/device-labels.tsx';
import { useState } from 'react';
import { CursorPages } from '../components/cursor-pages.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import type { ResponseOf } from '../client.ts';
import { useApiQuery } from '../queries.ts';
import { countText, PHASE_LABELS, plural, OWNER_LABELS, tookText } from '../labels.ts';
import { FleetRollouts } from '../fleet-rollouts/fleet-rollout-card.tsx';
import { FailureGroups } from './failure-groups.tsx';
import { Replays } from './replay-progress.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Remedy } from '../components/remedy.tsx';

export function RolloutsPage() {
  const failures = useApiQuery('listFailures', {});
  const titles = new Map(failures.data?.items.map(({ failure }) => [failure.code as string, failure.title]));
  return (
    <Page
      title="Rollouts"
      help="operations-guide#replaying-a-failed-rollout"
      intro="A rollout takes one device from enrolled to delivered. It can run for days without any action."
    >
      <FleetProgress />
      <FleetRollouts />
      <Replays titleOf={(code) => titles.get(code) ?? code} />
      <FailureGroups query={failures} />
      <RolloutList />
    </Page>
  );
}

function FleetProgress() {
  const { data } = useApiQuery('getStatus', {});
  if (!data || data.devices.total === 0) return null;
  const { total, delivered, managed } = data.devices;
  const share = (count: number) => (100 * count) / total;
  return (
    <Card withBorder>
      <Group justify="space-between" mb={6}>
        <Text fw={600}>
          {countText(delivered)} of {plural(total, 'device')} delivered, {countText(managed)} managed in Okta
        </Text>
      </Group>
      <Progress.Root size="lg" aria-label="Progress of the fleet">
        <Progress.Section value={share(managed)} color="green" aria-label="Managed in Okta" />
        <Progress.Section
          value={share(Math.max(0, delivered - managed))}
          color="lake"
          aria-label="Delivered"
        />
      </Progress.Root>
    </Card>
  );
}

const STATES = { running: 'Running', waiting: 'Waiting', failed: 'Failed', completed: 'Delivered' } as const;
/** Over the column that says why a run is where it is. */
const REASON_HEADS = {
  running: 'Step',
  waiting: 'Waiting for',
  failed: 'Why',
  completed: 'Waiting for',
} as const;

const NONE = {
  running: 'No rollout is running',
  waiting: 'No rollout is waiting for a device, a user or a license',
  failed: 'No rollout has failed',
  completed: 'No rollout has delivered anything yet',
} as const;

function RolloutList() {
  const { state = 'running' } = useSearch({ from: '/inside/rollouts' });
  const navigate = useNavigate();
  const [after, setAfter] = useState<string>();
  const query = useApiQuery('listRollouts', {
    query: { state, limit: 50, ...(after === undefined ? {} : { after }) },
  });
  return (
    <Tabs
      value={state}
      onChange={(value) => {
        setAfter(undefined);
        void navigate({ to: '/rollouts', search: { state: value as keyof typeof STATES } });
      }}
    >
      <Tabs.List>
        {Object.entries(STATES).map(([value, label]) => (
          <Tabs.Tab key={value} value={value}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={state} pt="md">
        <Loaded query={query}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title={NONE[state]}>
                A rollout starts when a device enrolls into a blueprint whose library item has Okta Device
                Trust turned on.
              </Empty>
            ) : (
              <>
                <ListTable
                  label="Rollouts"
                  heads={['Device', REASON_HEADS[state], 'Started', 'Took', 'Workflow']}
                >
                  {items.map((run) => (
                    <Table.Tr key={run.runId}>
                      <Table.Td>
                        <DeviceLink device={run.device} />
                      </Table.Td>
                      <Table.Td>
                        <Reason run={run} />
                      </Table.Td>
                      <Table.Td>
                        <Moment at={run.startedAt} />
                      </Table.Td>
                      <Table.Td>{tookText(run)}</Table.Td>
                      <Table.Td>
                        {run.temporalUrl === null ? (
                          '–'
                        ) : (
                          <Anchor href={run.temporalUrl} target="_blank" rel="noreferrer noopener" size="sm">
                            Temporal UI
                          </Anchor>
                        )}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </ListTable>
                <CursorPages after={after} next={next} go={setAfter} />
              </>
            )
          }
        </Loaded>
      </Tabs.Panel>
    </Tabs>
  );
}

function Reason({ run }: { run: ResponseOf<'listRollouts'>['items'][number] }) {
  const { failure, phase, waitsFor } = run;
  if (failure !== null)
    return (
      <>
        <Text size="sm">{failure.title}</Text>
        <Text size="xs" c="dimmed">
          <b>{OWNER_LABELS[failure.owner]}:</b> <Remedy text={failure.remedy} />
        </Text>
      </>
    );
  return phase === null ? 'Nothing' : (waitsFor ?? PHASE_LABELS[phase]);
}

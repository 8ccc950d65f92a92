// Rollouts over the fleet: how far they are, what failed and why, and what runs.
import {
  Alert,
  Anchor,
  Badge,
  Button,
  Card,
  Group,
  Progress,
  Stack,
  Table,
  Tabs,
  Text,
  Title,
} from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { AnchorLink, ButtonLink } from '../parts/links.tsx';
import { useState } from 'react';
import type { Answer } from '../client.ts';
import { CursorPages } from '../parts/cursor-pages.tsx';
import { Moment } from '../parts/moment.tsx';
import { Empty, Loaded, Page } from '../parts/page.tsx';
import { useAnswer } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countWords, deviceTitle, durationWords, plural, WHO_ACTS_WORDS } from '../words.ts';
import { ReplayDialog, type ReplayWhom } from './replay-dialog.tsx';

type FailureGroupAnswer = Answer<'listFailures'>['items'][number];

export function RolloutsPage() {
  const [replaying, replay] = useState<{ whom: ReplayWhom; title: string }>();
  return (
    <Page
      title="Rollouts"
      intro="A rollout brings one device from enrolled to delivered. It goes on by itself for days."
    >
      <FleetProgress />
      <FailureGroups replay={(whom, title) => replay({ whom, title })} />
      <RolloutList />
      {replaying && <ReplayDialog {...replaying} close={() => replay(undefined)} />}
    </Page>
  );
}

function FleetProgress() {
  const { data } = useAnswer('getStatus', {});
  if (!data || data.devices.total === 0) return null;
  const { total, delivered, managed } = data.devices;
  const share = (count: number) => (100 * count) / total;
  return (
    <Card withBorder>
      <Group justify="space-between" mb={6}>
        <Text fw={600}>
          {countWords(delivered)} of {plural(total, 'device')} delivered, {countWords(managed)} managed in
          Okta
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

function FailureGroups({ replay }: { replay: (whom: ReplayWhom, title: string) => void }) {
  const query = useAnswer('listFailures', {});
  const mayAct = useMay('operator');
  return (
    <Stack component="section" aria-labelledby="failures" gap="sm">
      <Title order={2} size="h3" id="failures">
        Failures by cause
      </Title>
      <Loaded query={query} lines={2}>
        {({ items }) => (
          <>
            {items.length === 0 && <Alert color="green" title="No rollout has failed." />}
            {items.map((group) => (
              <FailureGroup key={group.failure.code} group={group} replay={mayAct ? replay : undefined} />
            ))}
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function FailureGroup({
  group,
  replay,
}: {
  group: FailureGroupAnswer;
  replay: ((whom: ReplayWhom, title: string) => void) | undefined;
}) {
  const { failure, devices, examples, newestAt } = group;
  return (
    <Card withBorder>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} flex={1} miw={240}>
          <Group gap="xs">
            <Badge color="red" variant="light" tt="none">
              {plural(devices, 'device')}
            </Badge>
            <Title order={3} size="h5">
              {failure.title}
            </Title>
          </Group>
          <Text size="sm">
            <b>{WHO_ACTS_WORDS[failure.whoActs]}:</b> {failure.todo}
          </Text>
          <Text size="sm" c="dimmed">
            {examples.map((device, index) => (
              <span key={device.id}>
                {index > 0 ? ', ' : 'e.g. '}
                <AnchorLink to="/devices/$deviceId" params={{ deviceId: device.id }} size="sm">
                  {deviceTitle(device)}
                </AnchorLink>
              </span>
            ))}
            {' · newest '}
            <Moment at={newestAt} />
          </Text>
        </Stack>
        <Group gap="xs">
          <ButtonLink
            size="xs"
            variant="default"
            to="/devices"
            search={{ bucket: 'failed', failure: failure.code }}
          >
            Show devices
          </ButtonLink>
          {replay && (
            <Button
              size="xs"
              onClick={() => replay({ failureCode: failure.code }, `Replay: ${failure.title}`)}
            >
              Replay all
            </Button>
          )}
        </Group>
      </Group>
    </Card>
  );
}

const STATES = { running: 'Running and waiting', failed: 'Failed', completed: 'Delivered' } as const;

function RolloutList() {
  const { state = 'running' } = useSearch({ from: '/inside/rollouts' });
  const navigate = useNavigate();
  const [after, setAfter] = useState<string>();
  const query = useAnswer('listRollouts', {
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
              <Empty title={`No rollout is ${STATES[state].toLowerCase()}`}>
                Rollouts start when a device enrolls into a blueprint whose library item is switched on.
              </Empty>
            ) : (
              <div className="table-scroll" role="region" aria-label="Rollouts" tabIndex={0}>
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th scope="col">Device</Table.Th>
                      <Table.Th scope="col">Waits for</Table.Th>
                      <Table.Th scope="col">Started</Table.Th>
                      <Table.Th scope="col">Took</Table.Th>
                      <Table.Th scope="col">Workflow</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {items.map((run) => (
                      <Table.Tr key={run.runId}>
                        <Table.Td>
                          <AnchorLink to="/devices/$deviceId" params={{ deviceId: run.device.id }} size="sm">
                            {deviceTitle(run.device)}
                          </AnchorLink>
                        </Table.Td>
                        <Table.Td>
                          {run.waitsFor ??
                            run.failureCode ??
                            (run.outcome === 'completed' ? 'Nothing' : run.phase)}
                        </Table.Td>
                        <Table.Td>
                          <Moment at={run.startedAt} />
                        </Table.Td>
                        <Table.Td>
                          {run.closedAt === null
                            ? '–'
                            : durationWords(Date.parse(run.startedAt), Date.parse(run.closedAt))}
                        </Table.Td>
                        <Table.Td>
                          {run.temporalUrl === null ? (
                            '–'
                          ) : (
                            <Anchor
                              href={run.temporalUrl}
                              target="_blank"
                              rel="noreferrer noopener"
                              size="sm"
                            >
                              Temporal UI
                            </Anchor>
                          )}
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
                <CursorPages after={after} next={next} go={setAfter} />
              </div>
            )
          }
        </Loaded>
      </Tabs.Panel>
    </Tabs>
  );
}

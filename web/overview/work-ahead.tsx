// What failed and why, what is replayed, which renewals come, and how each tenant stands: on Overview, each leading to its page.
import { Anchor, Badge, Card, Group, Progress, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ListTable } from '../components/list-table.tsx';
import { AnchorLink } from '../components/links.tsx';
import { countText, nameOfActor, plural } from '../labels.ts';
import { useApiQuery } from '../queries.ts';

const SHOWN = 4;
const AHEAD_DAYS = 30;
const LOOK_EVERY_MS = 20_000;

export function WorkAhead() {
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Causes />
        <RenewalsAhead />
      </SimpleGrid>
      <RunningReplays />
      <ByTenant />
    </>
  );
}

function Part({
  title,
  to,
  children,
}: {
  title: string;
  to: '/rollouts' | '/renewals';
  children: ReactNode;
}) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {title}
        </Title>
        <AnchorLink to={to} size="sm">
          {to === '/rollouts' ? 'All rollouts' : 'All renewals'}
        </AnchorLink>
      </Group>
      <Stack gap={6}>{children}</Stack>
    </Card>
  );
}

function Causes() {
  const { data } = useApiQuery('listFailures', {}, { everyMs: LOOK_EVERY_MS });
  const most = (data?.items ?? []).toSorted((one, other) => other.devices - one.devices);
  return (
    <Part title="Failures by cause" to="/rollouts">
      {data && most.length === 0 && (
        <Text size="sm" c="dimmed">
          No rollout has failed.
        </Text>
      )}
      {most.slice(0, SHOWN).map(({ failure, devices }) => (
        <Group key={failure.code} justify="space-between" wrap="nowrap" align="flex-start">
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link {...props} to="/devices" search={{ phase: 'failed', failure: failure.code }} />
            )}
          >
            {failure.title}
          </Anchor>
          <Badge color="red" variant="light" tt="none" style={{ flexShrink: 0 }}>
            {plural(devices, 'device')}
          </Badge>
        </Group>
      ))}
      {most.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {plural(most.length - SHOWN, 'other cause')}
        </Text>
      )}
    </Part>
  );
}

function RenewalsAhead() {
  const byDay = useApiQuery('renewalsByDay', { query: { days: AHEAD_DAYS } });
  const late = useApiQuery('listRenewals', { query: { state: 'late', limit: 1 } });
  const failed = useApiQuery('listRenewals', { query: { state: 'failed', limit: 1 } });
  const days = byDay.data?.items ?? [];
  const opening = days.reduce((sum, { windowOpens }) => sum + windowOpens, 0);
  const ending = days.reduce((sum, { ending: count }) => sum + count, 0);
  const isSome = (query: typeof late) => (query.data?.items.length ?? 0) > 0;
  return (
    <Part title="Renewals ahead" to="/renewals">
      <Text size="sm">
        {plural(opening, 'renewal window')} {opening === 1 ? 'opens' : 'open'} in the next {AHEAD_DAYS} days.
      </Text>
      <Text size="sm">
        {plural(ending, 'certificate')} {ending === 1 ? 'expires' : 'expire'} in the next {AHEAD_DAYS} days.
      </Text>
      {isSome(late) && (
        <AnchorLink to="/renewals" search={{ state: 'late' }} size="sm">
          Some renewals are late: turn these Macs on
        </AnchorLink>
      )}
      {isSome(failed) && (
        <AnchorLink to="/renewals" search={{ state: 'failed' }} size="sm">
          Some renewals failed: Odette retries
        </AnchorLink>
      )}
    </Part>
  );
}

function RunningReplays() {
  const { data } = useApiQuery('listReplays', {}, { everyMs: LOOK_EVERY_MS });
  const running = (data?.items ?? []).filter(({ running: now, waiting }) => now + waiting > 0);
  if (running.length === 0) return null;
  return (
    <Part title="Running replays" to="/rollouts">
      {running.map(({ id, devices, completed, failed, withdrawn, reason, startedBy }) => (
        <div key={id}>
          <Group justify="space-between">
            <Text size="sm" className="break-anywhere">
              {nameOfActor(startedBy)}
              {reason !== null && `: ${reason}`}
            </Text>
            <Text size="sm">
              {countText(completed + failed + withdrawn)} of {plural(devices, 'device')} finished
            </Text>
          </Group>
          <Progress
            value={(100 * (completed + failed + withdrawn)) / (devices || 1)}
            aria-label="Progress of the replay"
          />
        </div>
      ))}
    </Part>
  );
}

/** One tenant is what the rest of the page shows. */
function ByTenant() {
  const integrations = useApiQuery('listIntegrations', {});
  const totals = useApiQuery('getTotals', {});
  const items = integrations.data?.items ?? [];
  if (items.length < 2 || !totals.data) return null;
  const byId = new Map(totals.data.items.map((each) => [each.integrationId, each]));
  return (
    <Card withBorder component="section" aria-labelledby="tenants">
      <Title order={2} size="h4" id="tenants" mb="xs">
        By tenant
      </Title>
      <ListTable
        label="Devices of each tenant"
        heads={['Tenant', 'In scope', 'Trusted', 'In progress', 'Needs its user', 'Needs you', 'Unreachable']}
      >
        {items.map(({ id, name }) => {
          const of = byId.get(id);
          const counts = [
            of?.devices.total,
            of?.buckets.trusted,
            of?.buckets.in_progress,
            of?.buckets.needs_user,
            of?.buckets.needs_you,
            of?.buckets.unreachable,
          ];
          return (
            <Table.Tr key={id}>
              <Table.Td>
                <AnchorLink to="/integrations/$integrationId" params={{ integrationId: id }} size="sm">
                  {name}
                </AnchorLink>
              </Table.Td>
              {counts.map((count, place) => (
                <Table.Td key={place}>{countText(count ?? 0)}</Table.Td>
              ))}
            </Table.Tr>
          );
        })}
      </ListTable>
    </Card>
  );
}

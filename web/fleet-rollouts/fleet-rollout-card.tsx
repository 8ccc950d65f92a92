// A change on its way to a fleet: how far it is, and what a person may order.
import { Badge, Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { countText, nameOfActor, plural } from '../labels.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { OrderDialog, ORDER_LABELS, type Order } from './order-dialog.tsx';

export type FleetRollout = ResponseOf<'getFleetRollout'>;

const LOOK_EVERY_MS = 3_000;
const SHOWN = 3;
const STATUS_LABELS = {
  running: { label: 'Under way', color: 'blue' },
  paused: { label: 'Paused', color: 'yellow' },
  halted: { label: 'Halted', color: 'red' },
  completed: { label: 'Completed', color: 'green' },
  aborted: { label: 'Aborted', color: 'gray' },
} as const;

/** Also of an aborted one devices may be on their way. */
export const isUnderWay = ({ endedAt, counts }: FleetRollout): boolean =>
  endedAt === null || counts.begun > 0;

export function FleetRollouts() {
  const known = useApiQuery('listFleetRollouts', {});
  const isAnyUnderWay = known.data?.items.some(isUnderWay) ?? false;
  const { data } = useApiQuery('listFleetRollouts', {}, { everyMs: isAnyUnderWay ? LOOK_EVERY_MS : false });
  const shown = (data?.items ?? []).filter((each, place) => isUnderWay(each) || place < SHOWN);
  if (shown.length === 0) return null;
  return (
    <Stack component="section" aria-labelledby="fleet-rollouts" gap="sm">
      <Title order={2} size="h3" id="fleet-rollouts">
        Changes
      </Title>
      {shown.map((each) => (
        <FleetRolloutCard key={each.id} rollout={each} headingOrder={3} />
      ))}
    </Stack>
  );
}

export function FleetRolloutCard({ rollout, headingOrder }: { rollout: FleetRollout; headingOrder: 2 | 3 }) {
  const [asked, setAsked] = useState<Order>();
  const mayAct = useMay('operator');
  const { devices, counts, status, reason, text } = rollout;
  const share = (count: number) => (100 * count) / Math.max(1, devices);
  const { label, color } = STATUS_LABELS[status];
  return (
    <Card withBorder>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} flex={1} miw={240}>
          <Group gap="xs">
            <Badge color={color} variant="light" tt="none">
              {label}
            </Badge>
            <Title order={headingOrder} size="h5">
              {capitalized(reason)}
            </Title>
          </Group>
          <Text size="sm" c="dimmed" className="break-anywhere">
            Started <Moment at={rollout.startedAt} /> by {nameOfActor(rollout.startedBy)}
            {rollout.steeredBy !== null && `; last order by ${nameOfActor(rollout.steeredBy)}`}
            {rollout.steeringReason !== null && `: ${rollout.steeringReason}`}
          </Text>
        </Stack>
        {mayAct && (
          <Group gap="xs">
            {rollout.orders.map((order) => (
              <Button key={order} size="xs" variant="default" onClick={() => setAsked(order)}>
                {ORDER_LABELS[order]}
              </Button>
            ))}
          </Group>
        )}
      </Group>
      <Progress.Root size="lg" mt="sm">
        <Progress.Section value={share(counts.completed)} color="green" aria-label="Completed" />
        <Progress.Section value={share(counts.failed)} color="red" aria-label="Failed" />
        <Progress.Section value={share(counts.begun)} color="lake" aria-label="Under way" />
        <Progress.Section
          value={share(counts.left + counts.overtaken)}
          color="gray"
          aria-label="Left unchanged or superseded"
        />
      </Progress.Root>
      <Text size="sm" mt={6} aria-live="polite">
        {text}
      </Text>
      <Text size="sm">
        {countText(counts.completed)} of {plural(devices, 'device')} completed, {countText(counts.failed)}{' '}
        failed, {countText(counts.begun)} under way, {countText(counts.waiting)} waiting
        {counts.left > 0 && `, ${countText(counts.left)} left unchanged`}
        {counts.overtaken > 0 && `, ${countText(counts.overtaken)} superseded by a later change`}.{' '}
        <AnchorLink to="/fleet-rollouts/$fleetRolloutId" params={{ fleetRolloutId: rollout.id }} size="sm">
          Devices
        </AnchorLink>
      </Text>
      {asked && <OrderDialog rollout={rollout} order={asked} close={() => setAsked(undefined)} />}
    </Card>
  );
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

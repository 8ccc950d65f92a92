// Replays that run or ran lately: how far each is, why it was begun, and a stop that says what it leaves.
import { Badge, Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Moment } from '../components/moment.tsx';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countText, nameOfActor, plural } from '../labels.ts';

type Replay = ResponseOf<'stopReplay'>;

const LOOK_EVERY_MS = 3_000;
const SHOWN = 3;
/** By hand or by a filter. */
const CHOSEN = 'Chosen devices';
const isUnderWay = ({ waiting, running }: Replay): boolean => waiting + running > 0;

export function Replays({ titleOf }: { titleOf: (failureCode: string) => string }) {
  const known = useApiQuery('listReplays', {});
  const isAnyUnderWay = known.data?.items.some(isUnderWay) ?? false;
  const { data } = useApiQuery('listReplays', {}, { everyMs: isAnyUnderWay ? LOOK_EVERY_MS : false });
  const items = data?.items.filter(({ devices }) => devices > 0) ?? [];
  const shown = items.filter((replay, place) => isUnderWay(replay) || place < SHOWN);
  if (shown.length === 0) return null;
  return (
    <Section>
      {shown.map((replay) => (
        <ReplayCard
          key={replay.id}
          replay={replay}
          title={replay.failureCode === null ? CHOSEN : titleOf(replay.failureCode)}
        />
      ))}
    </Section>
  );
}

/** Those that were begun on the page itself, while it is open: the others are on the page Rollouts. */
export function BegunReplays({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return null;
  return (
    <Section>
      {ids.map((id) => (
        <BegunReplay key={id} id={id} />
      ))}
    </Section>
  );
}

function BegunReplay({ id }: { id: string }) {
  const given = { params: { id } };
  const known = useApiQuery('getReplay', given);
  const mayChange = known.data === undefined || isUnderWay(known.data);
  const { data } = useApiQuery('getReplay', given, { everyMs: mayChange ? LOOK_EVERY_MS : false });
  return data && data.devices > 0 ? <ReplayCard replay={data} title={CHOSEN} /> : null;
}

function Section({ children }: { children: ReactNode }) {
  return (
    <Stack component="section" aria-labelledby="replays" gap="sm">
      <Title order={2} size="h3" id="replays">
        Replays
      </Title>
      {children}
    </Stack>
  );
}

function ReplayCard({ replay, title }: { replay: Replay; title: string }) {
  const [asks, setAsks] = useState(false);
  const mayAct = useMay('operator');
  const { devices, completed, failed, withdrawn, running, waiting } = replay;
  const share = (count: number) => (100 * count) / devices;
  const ended = completed + failed + withdrawn;
  return (
    <Card withBorder>
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} flex={1} miw={240}>
          <Group gap="xs">
            <Badge color={isUnderWay(replay) ? 'blue' : 'gray'} variant="light" tt="none">
              {isUnderWay(replay) ? 'Under way' : replay.stoppedAt === null ? 'Ended' : 'Stopped'}
            </Badge>
            <Title order={3} size="h5">
              {title}
            </Title>
          </Group>
          <Text size="sm" c="dimmed" className="break-anywhere">
            Started <Moment at={replay.startedAt} /> by {nameOfActor(replay.startedBy)}
            {replay.reason !== null && `: ${replay.reason}`}
          </Text>
        </Stack>
        {mayAct && waiting > 0 && (
          <Button size="xs" variant="default" onClick={() => setAsks(true)}>
            Stop
          </Button>
        )}
      </Group>
      <Progress.Root size="lg" mt="sm">
        <Progress.Section value={share(completed)} color="green" aria-label="Delivered" />
        <Progress.Section value={share(failed)} color="red" aria-label="Failed again" />
        <Progress.Section value={share(withdrawn)} color="gray" aria-label="Skipped" />
        <Progress.Section value={share(running)} color="lake" aria-label="Running" />
      </Progress.Root>
      <Text size="sm" mt={6} aria-live="polite">
        {countText(ended)} of {plural(devices, 'device')} finished: {countText(completed)} delivered,{' '}
        {countText(failed)} failed again
        {withdrawn > 0 && `, ${countText(withdrawn)} skipped`}. {countText(running)} running,{' '}
        {countText(waiting)} waiting.
      </Text>
      {asks && <StopDialog replay={replay} close={() => setAsks(false)} />}
    </Card>
  );
}

function StopDialog({ replay, close }: { replay: Replay; close: () => void }) {
  const change = useChange('stopReplay', ['listReplays', 'getReplay', 'listRollouts'], ({ withdrawn }) => {
    notifications.show({
      message: `Stopped: ${plural(withdrawn, 'device')} skipped.`,
      color: 'green',
    });
    close();
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Stop this replay?"
      confirmLabel="Stop"
      cancelLabel="Keep running"
      isDangerous
      confirm={() => change.mutate({ params: { id: replay.id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['rollout', 'stop', replay.id])}
    >
      <Text>
        {plural(replay.waiting, 'device')} that {replay.waiting === 1 ? 'has' : 'have'} not started{' '}
        {replay.waiting === 1 ? 'stays' : 'stay'} failed; you can replay them later.
        {replay.running > 0 &&
          ` ${plural(replay.running, 'rollout')} under way ${replay.running === 1 ? 'continues' : 'continue'}: Odette sends only what is missing.`}
      </Text>
    </ConfirmDialog>
  );
}

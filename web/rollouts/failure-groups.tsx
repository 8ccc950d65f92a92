// Failed rollouts by their cause: how many, who acts, what to do, and the replay of the whole group.
import { Alert, Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import { DeviceLink } from '../components/device-labels.tsx';
import { ButtonLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import type { ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { plural, OWNER_LABELS } from '../labels.ts';
import { ReplayDialog } from './replay-dialog.tsx';
import { Remedy } from '../components/remedy.tsx';

type FailureGroupAnswer = ResponseOf<'listFailures'>['items'][number];

export function FailureGroups({ query }: { query: UseQueryResult<ResponseOf<'listFailures'>> }) {
  const [replaying, replay] = useState<FailureGroupAnswer>();
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
              <FailureGroup
                key={group.failure.code}
                group={group}
                replay={mayAct ? () => replay(group) : undefined}
              />
            ))}
          </>
        )}
      </Loaded>
      {replaying && (
        <ReplayDialog
          whom={{ cause: replaying.failure.code }}
          title={`Replay: ${replaying.failure.title}`}
          close={() => replay(undefined)}
        />
      )}
    </Stack>
  );
}

function FailureGroup({ group, replay }: { group: FailureGroupAnswer; replay: (() => void) | undefined }) {
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
            <b>{OWNER_LABELS[failure.owner]}:</b> <Remedy text={failure.remedy} />
          </Text>
          <Text size="sm" c="dimmed">
            {examples.map((device, index) => (
              <span key={device.id}>
                {index > 0 ? ', ' : 'e.g. '}
                <DeviceLink device={device} />
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
            search={{ phase: 'failed', failure: failure.code }}
          >
            Show devices
          </ButtonLink>
          {replay && (
            <Button size="xs" onClick={replay} aria-label={`Replay all: ${failure.title}`}>
              Replay all
            </Button>
          )}
        </Group>
      </Group>
    </Card>
  );
}

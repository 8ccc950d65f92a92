// The five truths of a device, each with its evidence and time.
import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { StateMark } from '../components/device-labels.tsx';
import { Moment } from '../components/moment.tsx';
import { durationText, TRUTH_LABELS, type Truth } from '../labels.ts';

export type DeviceDetail = ResponseOf<'getDevice'>;

export function TruthList({ device }: { device: DeviceDetail }) {
  const names = Object.keys(TRUTH_LABELS) as Truth[];
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="truths">
      <Title order={2} size="h4" id="truths" mb="sm">
        Five truths
      </Title>
      <Stack component="ol" gap="sm" pl={0} m={0} style={{ listStyle: 'none' }}>
        {names.map((name) => {
          const found = device.evidence.find(({ truth }) => truth === name);
          return (
            <Group component="li" key={name} align="flex-start" wrap="nowrap" gap="sm">
              <StateMark state={found?.state ?? 'unknown'} />
              <div>
                <Text fw={600} size="sm">
                  {TRUTH_LABELS[name]}
                </Text>
                <Text size="sm">{found?.evidence ?? 'No reports yet.'}</Text>
                {found && <SaidBy {...found} />}
              </div>
            </Group>
          );
        })}
      </Stack>
    </Paper>
  );
}

type Evidence = DeviceDetail['evidence'][number];

const OLD_MS = 24 * 3_600_000;

/** Who said so and when; older than a day it fades and says its age. */
function SaidBy({ source, at, since }: Evidence) {
  if (source === null || at === null) return null;
  const age = Date.now() - Date.parse(at);
  return (
    <Text size="xs" c="dimmed" fs={age > OLD_MS ? 'italic' : 'normal'}>
      {source === 'okta' ? 'Okta said so ' : 'The device listed it '}
      <Moment at={at} isDated />
      {age > OLD_MS && `, ${durationText(0, age)} ago`}
      {since !== null && (
        <>
          ; held since <Moment at={since} isDated />
        </>
      )}
    </Text>
  );
}

// The to-do list: who acts next, in one sentence with one button, and the ticks of a new installation.
import { Badge, Card, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { CommandLine } from '../components/command-line.tsx';
import { CheckIcon } from '../components/icons.tsx';
import { ButtonLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { plural, STEP_OWNER_LABELS } from '../labels.ts';
import type { ResponseOf } from '../queries.ts';

type Status = ResponseOf<'getStatus'>;
type Step = Status['steps'][number];
type Tick = Status['onboarding'][number];

const OWNER_COLORS = { you: 'red', user: 'blue', nobody: 'gray' } as const;

export function ToDoList({ steps }: { steps: readonly Step[] }) {
  // The shell shows alarms above every page.
  const shown = steps.filter(({ id }) => !id.startsWith('alarm:'));
  return (
    <Card withBorder component="section" aria-labelledby="to-do">
      <Title order={2} size="h4" id="to-do" mb="sm">
        To do
      </Title>
      {shown.length === 0 && (
        <Text size="sm" c="dimmed">
          No action needed.
        </Text>
      )}
      <Stack component="ul" gap="sm" pl={0} m={0} style={{ listStyle: 'none' }}>
        {shown.map((step) => (
          <Group component="li" key={step.id} justify="space-between" align="flex-start" gap="sm">
            <div style={{ flex: '1 1 16rem' }}>
              <Group gap="xs" mb={2}>
                <Badge color={OWNER_COLORS[step.owner]} variant="light" tt="none">
                  {STEP_OWNER_LABELS[step.owner]}
                </Badge>
                {step.devices !== null && (
                  <Text size="sm" fw={600}>
                    {plural(step.devices, 'device')}
                  </Text>
                )}
                {step.since !== null && (
                  <Text size="xs" c="dimmed">
                    since <Moment at={step.since} isDated />
                  </Text>
                )}
              </Group>
              <Text size="sm">{step.text}</Text>
            </div>
            <StepLink step={step} />
          </Group>
        ))}
      </Stack>
    </Card>
  );
}

function StepLink({ step }: { step: Step }) {
  const { filter, setupId } = step;
  if (setupId !== null)
    return (
      <ButtonLink size="xs" to="/setups/$setupId" params={{ setupId }}>
        Continue setup
      </ButtonLink>
    );
  if (filter === null) return null;
  return (
    <ButtonLink
      size="xs"
      variant="default"
      to="/devices"
      search={{
        bucket: filter.bucket,
        ...(filter.failureCode !== null && { failure: filter.failureCode }),
        ...(filter.obstacle !== null && { obstacle: filter.obstacle }),
      }}
    >
      Show devices
    </ButtonLink>
  );
}

/** Where in the console each is done. */
function TickLink({ id }: { id: Tick['id'] }) {
  switch (id) {
    case 'push_certificate':
      return (
        <ButtonLink size="xs" variant="default" to="/settings" search={{ tab: 'push' }}>
          Open
        </ButtonLink>
      );
    case 'apps_and_books':
      return (
        <ButtonLink size="xs" variant="default" to="/settings" search={{ tab: 'licenses' }}>
          Open
        </ButtonLink>
      );
    case 'channel':
      return (
        <ButtonLink size="xs" variant="default" to="/channels">
          Open
        </ButtonLink>
      );
    case 'integration':
      return (
        <ButtonLink size="xs" variant="default" to="/integrations/discover">
          Discover integrations
        </ButtonLink>
      );
    case 'library_item':
      return (
        <ButtonLink size="xs" variant="default" to="/library/okta-verify">
          Open
        </ButtonLink>
      );
    case 'enrollment_code':
    case 'first_device':
      return (
        <ButtonLink size="xs" variant="default" to="/blueprints">
          Open
        </ButtonLink>
      );
    case 'first_trusted':
      return (
        <ButtonLink size="xs" variant="default" to="/devices">
          Open
        </ButtonLink>
      );
    default:
      return null;
  }
}

/** Only an admin of the machine can set these, so the command stands there. */
const ON_THE_MACHINE: readonly Tick['id'][] = ['public_url', 'tls'];

export function Onboarding({ ticks }: { ticks: readonly Tick[] }) {
  if (ticks.length === 0) return null;
  const done = ticks.filter(({ isDone }) => isDone).length;
  return (
    <Card withBorder component="section" aria-labelledby="onboarding">
      <Title order={2} size="h4" id="onboarding" mb="sm">
        Getting started: {done} of {ticks.length} done
      </Title>
      <Stack component="ol" gap="sm" pl={0} m={0} style={{ listStyle: 'none' }}>
        {ticks.map(({ id, text, isDone, command }) => (
          <li key={id}>
            <Group justify="space-between" gap="sm" wrap="nowrap">
              <Group gap="sm" wrap="nowrap">
                <ThemeIcon
                  radius="xl"
                  size="md"
                  variant={isDone ? 'light' : 'outline'}
                  color={isDone ? 'green' : 'gray'}
                  role="img"
                  aria-label={isDone ? 'Done' : 'Not done'}
                >
                  {isDone ? <CheckIcon /> : null}
                </ThemeIcon>
                <Text size="sm" {...(isDone && { c: 'dimmed' })}>
                  {text}
                </Text>
              </Group>
              {!isDone && <TickLink id={id} />}
            </Group>
            {!isDone && command !== null && ON_THE_MACHINE.includes(id) && (
              <CommandLine command={command} label="How" />
            )}
          </li>
        ))}
      </Stack>
    </Card>
  );
}

// The numbers of an integration, each with what it does; few need to change them, so they are folded.
import { Button, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { fieldError } from '../components/problem-alert.tsx';
import type { Integration } from './integration.ts';

type Numbers = Integration['settings'];
export type NumberName = Exclude<keyof Numbers, 'trustLookupSeconds' | 'countsAnyUser' | 'furtherDomains'>;

export const NUMBER_FIELDS: Readonly<
  Record<NumberName, { label: string; description: string; step?: number }>
> = {
  patienceHours: {
    label: 'Give up after (hours)',
    description: 'A rollout fails when its device does not respond for this long.',
  },
  removalDelayMinutes: {
    label: 'Removal delay (minutes)',
    description: 'You can undo a removal for this long.',
  },
  trustSweepMinutes: {
    label: 'Sync from Okta every (minutes)',
    description: 'How often Odette compares all devices with Okta.',
  },
  enforcementSweepMinutes: {
    label: 'Enforce every (minutes)',
    description: 'How often Odette looks for devices that are due for verification.',
  },
  expirySweepMinutes: {
    label: 'Check for expiring certificates every (minutes)',
    description: 'How often Odette checks for certificates that expire soon.',
  },
  verifyAfterHours: {
    label: 'Verify again after (hours)',
    description: 'Odette verifies each device again after this time.',
  },
  renewalWindowStart: {
    label: 'Renew at (fraction of lifetime left)',
    description: '0.333: Odette renews a one-year certificate about 120 days before it expires.',
    step: 0.01,
  },
  renewalWindowEnd: {
    label: 'Renewal is urgent at (fraction of lifetime left)',
    description: '0.167: about 60 days before it expires.',
    step: 0.01,
  },
  unusedWarnDays: {
    label: 'Warn when unused (days)',
    description: 'Okta revokes a certificate that no sign-in has used for 90 days.',
  },
  unusedWarnAgainDays: {
    label: 'Warn again when unused (days)',
    description: 'The second warning, before Odette replaces the certificate.',
  },
  unusedReissueDays: {
    label: 'Replace when unused (days)',
    description: 'Odette replaces the certificate before Okta revokes it.',
  },
  reissuesPerHour: {
    label: 'Automatic re-issues, at most (per hour)',
    description:
      'If more devices of a platform lose "managed" in Okta, Odette halts re-issues and waits for you.',
  },
};

export const NUMBER_NAMES = Object.keys(NUMBER_FIELDS) as NumberName[];

export type Entered = Readonly<Record<NumberName, number | string>>;

export function NumberFields({
  numbers,
  disabled,
  set,
  error,
}: {
  numbers: Entered;
  disabled: boolean;
  set: (name: NumberName, value: number | string) => void;
  error: unknown;
}) {
  const [isOpen, fold] = useDisclosure(false);
  // What is wrong is never hidden.
  const isShown = isOpen || NUMBER_NAMES.some((name) => fieldError(error, name));
  return (
    <Stack gap="sm">
      <div>
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={isShown}
          aria-controls="numbers"
          onClick={fold.toggle}
        >
          {isShown ? '▾' : '▸'} Advanced
        </Button>
        <Text size="xs" c="dimmed">
          How long Odette waits, how often it checks, and when it renews. The defaults suit most fleets.
        </Text>
      </div>
      <div id="numbers" role="group" aria-label="Advanced">
        {isShown && (
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
            {NUMBER_NAMES.map((name) => (
              <NumberInput
                key={name}
                label={NUMBER_FIELDS[name].label}
                description={NUMBER_FIELDS[name].description}
                value={numbers[name]}
                step={NUMBER_FIELDS[name].step ?? 1}
                decimalScale={3}
                hideControls
                disabled={disabled}
                onChange={(value) => set(name, value)}
                error={fieldError(error, name)}
              />
            ))}
          </SimpleGrid>
        )}
      </div>
    </Stack>
  );
}

// Integration settings of an integration: patience, removal delay, sweeps, renewal.
import {
  Button,
  Group,
  NumberInput,
  Paper,
  SimpleGrid,
  Switch,
  Stack,
  TagsInput,
  TextInput,
  Title,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { CommandLine } from '../components/command-line.tsx';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import { useChange } from '../queries.ts';
import type { Integration } from './integration.ts';

type Numbers = Integration['settings'];
type NumberName = Exclude<keyof Numbers, 'trustLookupSeconds' | 'countsAnyUser' | 'furtherDomains'>;

const FIELDS: Readonly<Record<NumberName, { label: string; description: string; step?: number }>> = {
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

const NAMES = Object.keys(FIELDS) as NumberName[];

type Entered = Readonly<Record<NumberName, number | string>>;

/** The body that changes what differs; empty when nothing does. */
function changesOf(
  { name: savedName, settings }: Integration,
  {
    name,
    numbers,
    countsAnyUser,
    domains,
  }: { name: string; numbers: Entered; countsAnyUser: boolean; domains: string[] },
) {
  const changed = NAMES.filter((one) => Number(numbers[one]) !== settings[one]);
  const changes = {
    ...Object.fromEntries(changed.map((one) => [one, Number(numbers[one])])),
    ...(countsAnyUser === settings.countsAnyUser ? {} : { countsAnyUser }),
    ...(domains.join(' ') === settings.furtherDomains.join(' ') ? {} : { furtherDomains: domains }),
  };
  return {
    ...(name === savedName ? {} : { name }),
    ...(Object.keys(changes).length === 0 ? {} : { settings: changes }),
  };
}

export function NumbersCard({
  integration,
  etag,
  disabled,
}: {
  integration: Integration;
  etag: string | null;
  disabled: boolean;
}) {
  const [name, setName] = useState(integration.name);
  const { countsAnyUser: countedAnyUser, furtherDomains, ...shownNumbers } = integration.settings;
  const [domains, setDomains] = useState<string[]>(furtherDomains);
  const [numbers, setNumbers] = useState<Entered>(shownNumbers);
  const [countsAnyUser, setCountsAnyUser] = useState(countedAnyUser);
  const body = changesOf(integration, { name: name.trim(), numbers, countsAnyUser, domains });
  const given = { params: { id: integration.id }, body };
  const change = useChange('updateIntegration', ['getIntegration', 'listIntegrations'], () => {
    notifications.show({ message: 'Saved.', color: 'green' });
  });
  const isDirty = Object.keys(body).length > 0;
  return (
    <Paper withBorder p="md" component="section" aria-label="Integration settings">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isDirty) change.mutate({ ...given, ifMatch: etag ?? undefined });
        }}
      >
        <Stack>
          <Title order={2} size="h4">
            Integration settings
          </Title>
          <TextInput
            label="Name"
            value={name}
            maxLength={100}
            disabled={disabled}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fieldError(change.error, 'name')}
          />
          <NumberFields
            numbers={numbers}
            disabled={disabled}
            set={(one, value) => setNumbers((before) => ({ ...before, [one]: value }))}
            error={change.error}
          />
          <TagsInput
            label="Further custom domains"
            description="Okta names one custom domain. If users sign in at others, add them here. Odette then sends the SSO extension to all devices again."
            placeholder={domains.length === 0 ? 'id.example.com' : ''}
            value={domains}
            disabled={disabled}
            onChange={setDomains}
            error={domains
              .map((_, index) => fieldError(change.error, `settings.furtherDomains.${index}`))
              .find(Boolean)}
          />
          <Switch
            label="Any user counts"
            description="On: a device counts as managed for any user in Okta. Off: only for the user set in Odette."
            checked={countsAnyUser}
            disabled={disabled}
            onChange={(event) => setCountsAnyUser(event.currentTarget.checked)}
          />
          <ProblemAlert error={change.error} exceptFields={NAMES.map((one) => `settings.${one}`)} />
          {isDirty && <CommandLine command={curlLine('updateIntegration', given)} />}
          <Group justify="flex-end">
            <Button type="submit" disabled={disabled || !isDirty} loading={change.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

function NumberFields({
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
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
      {NAMES.map((name) => (
        <NumberInput
          key={name}
          label={FIELDS[name].label}
          description={FIELDS[name].description}
          value={numbers[name]}
          step={FIELDS[name].step ?? 1}
          decimalScale={3}
          hideControls
          disabled={disabled}
          onChange={(value) => set(name, value)}
          error={fieldError(error, name)}
        />
      ))}
    </SimpleGrid>
  );
}

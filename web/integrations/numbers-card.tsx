// Integration settings of an integration: patience, removal delay, sweeps, renewal.
import { Button, Group, Paper, Switch, Stack, TagsInput, TextInput, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { CommandLine } from '../components/command-line.tsx';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import { useChange } from '../queries.ts';
import type { Integration } from './integration.ts';
import { NUMBER_NAMES, NumberFields, type Entered } from './number-fields.tsx';
import { SettingsEffect } from './settings-effect.tsx';

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
  const changed = NUMBER_NAMES.filter((one) => Number(numbers[one]) !== settings[one]);
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
          <NumberFields
            numbers={numbers}
            disabled={disabled}
            set={(one, value) => setNumbers((before) => ({ ...before, [one]: value }))}
            error={change.error}
          />
          <ProblemAlert error={change.error} exceptFields={NUMBER_NAMES.map((one) => `settings.${one}`)} />
          {isDirty && <SettingsEffect integration={integration} body={body} />}
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

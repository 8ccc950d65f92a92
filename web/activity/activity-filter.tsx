// What the activity list is filtered by: people, kinds and devices as pick-lists, and days of the reader's own calendar.
import { Group, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import type { Query } from '../client.ts';
import { deviceTitle } from '../labels.ts';
import { useApiQuery } from '../queries.ts';

export type ActivitySearch = Readonly<
  Partial<Record<'actor' | 'kind' | 'subject' | 'from' | 'until' | 'secrets', string>>
>;
type Kind = NonNullable<NonNullable<Query<'listAudit'>>['kind']>;

const KINDS: Readonly<Record<Kind, string>> = {
  people: 'People, tokens and sign-ins',
  integrations: 'Integrations and setup',
  library: 'Library, blueprints and changes',
  devices: 'Devices and enrollment',
  rollouts: 'Rollouts and replays',
  apple: 'Apple certificates and licenses',
  secrets: 'Secrets',
  temporal: 'Temporal',
};

export function filterOf({ from, until, kind, secrets, ...rest }: ActivitySearch): Query<'exportAudit'> {
  const startOf = (day: string, days: number) => {
    const date = new Date(`${day}T00:00:00`);
    date.setDate(date.getDate() + days);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  };
  const bounds = { from: from && startOf(from, 0), until: until && startOf(until, 1) };
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value)),
    ...(isKind(kind) && { kind }),
    secretUses: secrets === 'each' ? 'each' : 'folded',
  };
}

const isKind = (kind: string | undefined): kind is Kind => kind !== undefined && Object.hasOwn(KINDS, kind);

export function ActivityFilter({
  search,
  apply,
}: {
  readonly search: ActivitySearch;
  readonly apply: (name: keyof ActivitySearch, value: string | null) => void;
}) {
  const { data: actors } = useApiQuery('listAuditActors', {});
  const namesOf = (kind: string) =>
    (actors?.items ?? [])
      .filter(({ actor }) => actor.startsWith(kind))
      .map(({ actor, name }) => ({ value: actor, label: name }));
  return (
    <Group align="flex-end">
      <Select
        size="xs"
        label="Who"
        placeholder="Everyone"
        searchable
        clearable
        data={[
          {
            group: 'All of a kind',
            items: [
              { value: 'person:', label: 'All people' },
              { value: 'token:', label: 'All API tokens' },
              { value: 'device:', label: 'All devices' },
              { value: 'system', label: 'Odette' },
            ],
          },
          { group: 'People', items: namesOf('person:') },
          { group: 'API tokens', items: namesOf('token:') },
        ]}
        value={search.actor ?? null}
        onChange={(value) => apply('actor', value)}
      />
      <Select
        size="xs"
        w={240}
        label="Kind"
        placeholder="Everything"
        clearable
        data={Object.entries(KINDS).map(([value, label]) => ({ value, label }))}
        value={search.kind ?? null}
        onChange={(value) => apply('kind', value)}
      />
      <DeviceChoice subject={search.subject} choose={(subject) => apply('subject', subject)} />
      {(['from', 'until'] as const).map((name) => (
        <TextInput
          key={name}
          size="xs"
          type="date"
          label={name === 'from' ? 'From' : 'Until'}
          value={search[name] ?? ''}
          onChange={(event) => apply(name, event.currentTarget.value)}
        />
      ))}
      <Switch
        size="sm"
        mb={6}
        label="Show each use of a secret"
        checked={search.secrets === 'each'}
        onChange={(event) => apply('secrets', event.currentTarget.checked ? 'each' : null)}
      />
    </Group>
  );
}

/** Found by name, serial number or user, as in the device list. */
function DeviceChoice({
  subject,
  choose,
}: {
  readonly subject: string | undefined;
  readonly choose: (subject: string | null) => void;
}) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 200);
  const id = subject?.startsWith('device:') ? subject.slice('device:'.length) : undefined;
  const chosen = useApiQuery('getDevice', { params: { id: id ?? '' } }, { enabled: id !== undefined });
  const chosenTitle = id !== undefined && chosen.data?.id === id ? deviceTitle(chosen.data) : undefined;
  const found = useApiQuery('listDevices', {
    query: { limit: 20, ...(search === '' || search === chosenTitle ? {} : { search }) },
  });
  const options = new Map(
    (found.data?.items ?? []).map((device) => [`device:${device.id}`, deviceTitle(device)]),
  );
  if (subject !== undefined) options.set(subject, chosenTitle ?? options.get(subject) ?? subject);
  return (
    <Select
      size="xs"
      label="Device"
      placeholder="All devices"
      searchable
      clearable
      // The API has searched already: by more than the name.
      filter={({ options: all }) => all}
      nothingFoundMessage="No such device"
      data={[...options].map(([value, label]) => ({ value, label }))}
      value={subject ?? null}
      onChange={choose}
      onSearchChange={setText}
    />
  );
}

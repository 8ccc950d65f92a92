// Search and filters of the device list. What is chosen goes into the address.
import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useApiQuery } from '../queries.ts';
import { BUCKET_LABELS, PHASE_LABELS, PLATFORM_LABELS, TRUTH_LABELS } from '../labels.ts';
import { isFiltered, type DeviceSearch } from './device-search.ts';

const any = (label: string) => ({ value: '', label });
const entries = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

export function DeviceFilters({ search }: { search: DeviceSearch }) {
  const navigate = useNavigate();
  const blueprints = useApiQuery('listBlueprints', {});
  const catalogue = useApiQuery('listFailures', {});
  const [typed, setTyped] = useState(search.search ?? '');
  useEffect(() => setTyped(search.search ?? ''), [search.search]);
  const apply = (change: Partial<Record<keyof DeviceSearch, string | number>>) => {
    const { after: _first, ...kept } = search;
    const next = Object.entries({ ...kept, ...change }).filter(([, value]) => value !== '');
    void navigate({ to: '/devices', search: Object.fromEntries(next) });
  };
  const find = useDebouncedCallback((text: string) => apply({ search: text.trim() }), 300);
  const select = (name: keyof DeviceSearch, label: string, data: { value: string; label: string }[]) => (
    <NativeSelect
      size="xs"
      maw={200}
      label={label}
      value={String(search[name] ?? '')}
      data={[any('Any'), ...withPresent(data, search[name])]}
      onChange={(event) => apply({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <Group align="flex-end" gap="sm">
      <TextInput
        size="xs"
        w={240}
        label="Search"
        placeholder="Serial, name or user"
        type="search"
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          find(event.currentTarget.value);
        }}
      />
      {select(
        'bucket',
        'State',
        Object.entries(BUCKET_LABELS).map(([value, { label }]) => ({ value, label })),
      )}
      {select('platform', 'Platform', entries(PLATFORM_LABELS))}
      {select('family', 'Family', entries({ Mac: 'Mac', iPhone: 'iPhone', iPad: 'iPad', Other: 'Other' }))}
      {select(
        'blueprint',
        'Blueprint',
        (blueprints.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
      )}
      {select('phase', 'Rollout phase', entries(PHASE_LABELS))}
      {select('lacks', 'Missing truth', entries(TRUTH_LABELS))}
      {select(
        'failure',
        'Failure',
        (catalogue.data?.items ?? []).map(({ failure }) => ({ value: failure.code, label: failure.title })),
      )}
      {select(
        'days',
        'Certificate expires',
        entries({ 14: 'within 14 days', 30: 'within 30 days', 60: 'within 60 days', 120: 'within 120 days' }),
      )}
      {isFiltered(search) && (
        <Button size="xs" variant="subtle" onClick={() => void navigate({ to: '/devices', search: {} })}>
          Clear filter
        </Button>
      )}
    </Group>
  );
}

/** A value that came with the address is shown, though the list does not have it. */
function withPresent(data: { value: string; label: string }[], present: string | number | undefined) {
  const text = String(present ?? '');
  return text === '' || data.some(({ value }) => value === text)
    ? data
    : [...data, { value: text, label: text }];
}

// Search and filters of the device list in one row: what is chosen stands there as chips and in the address, and can be kept as a view.
import { Button, Group, NativeSelect, Popover, Stack, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { isFiltered, type DeviceSearch } from './device-search.ts';
import { chosenText, useFilterFields, type FilterField } from './filter-fields.ts';
import { SavedViews } from './saved-views.tsx';

type Apply = (change: Partial<Record<keyof DeviceSearch, string>>) => void;

export function DeviceFilters({ search }: { search: DeviceSearch }) {
  const navigate = useNavigate();
  const fields = useFilterFields(search);
  const [typed, setTyped] = useState(search.search ?? '');
  useEffect(() => setTyped(search.search ?? ''), [search.search]);
  const apply: Apply = (change) => {
    const { after: _first, ...kept } = search;
    const next = Object.entries({ ...kept, ...change }).filter(([, value]) => value !== '');
    void navigate({ to: '/devices', search: Object.fromEntries(next) });
  };
  const find = useDebouncedCallback((text: string) => apply({ search: text.trim() }), 300);
  return (
    <Group gap="xs" role="group" aria-label="Filter">
      <TextInput
        size="xs"
        w={220}
        aria-label="Search"
        placeholder="Serial, name or user"
        type="search"
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          find(event.currentTarget.value);
        }}
      />
      <FilterMenu fields={fields} search={search} apply={apply} />
      {fields.map((field) => (
        <Chip key={field.name} field={field} search={search} apply={apply} />
      ))}
      {isFiltered(search) && (
        <Button size="xs" variant="subtle" onClick={() => void navigate({ to: '/devices', search: {} })}>
          Clear filter
        </Button>
      )}
      <SavedViews search={search} />
    </Group>
  );
}

function FilterMenu({
  fields,
  search,
  apply,
}: {
  fields: readonly FilterField[];
  search: DeviceSearch;
  apply: Apply;
}) {
  return (
    <Popover width={280} position="bottom-start" trapFocus shadow="md">
      <Popover.Target>
        <Button size="xs" variant="default">
          Filter ▾
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Filter by">
        <Stack gap="xs">
          {fields
            .filter(({ isLinkedOnly }) => isLinkedOnly !== true)
            .map((field) => (
              <FieldSelect key={field.name} field={field} search={search} apply={apply} />
            ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function FieldSelect({ field, search, apply }: { field: FilterField; search: DeviceSearch; apply: Apply }) {
  const { name, label, choices } = field;
  const chosen = String(search[name] ?? '');
  // A value that came with the address is shown, though the list does not have it.
  const present = choices.some(({ value }) => value === chosen)
    ? []
    : [{ value: chosen, label: chosenText(field, search) ?? '' }];
  return (
    <NativeSelect
      size="xs"
      label={label}
      value={chosen}
      data={[{ value: '', label: 'Any' }, ...choices, ...(chosen === '' ? [] : present)]}
      onChange={(event) => apply({ [name]: event.currentTarget.value })}
    />
  );
}

function Chip({ field, search, apply }: { field: FilterField; search: DeviceSearch; apply: Apply }) {
  const chosen = chosenText(field, search);
  if (chosen === undefined) return null;
  return (
    <Button
      size="compact-xs"
      radius="xl"
      variant="light"
      maw={320}
      rightSection={<span aria-hidden="true">×</span>}
      aria-label={`Remove the filter ${field.label}: ${chosen}`}
      onClick={() => apply({ [field.name]: '' })}
    >
      {field.label}: {chosen}
    </Button>
  );
}

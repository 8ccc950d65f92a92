// Search everywhere: devices by serial number, name and user, pages, actions, integrations and blueprints; made for the keyboard.
import { Box, ScrollArea, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { Dialog } from '../components/dialog.tsx';
import { SearchIcon } from '../components/icons.tsx';
import { deviceTitle, plural } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { FIXED_ENTRIES, matches, type SearchEntry } from './search-entries.ts';

const MAX_DEVICES = 8;
const MAX_OF_GROUP = 6;
/** So that a word is one request and not one for each letter. */
const PAUSE_MS = 120;

export default function SearchDialog({ close }: { readonly close: () => void }) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const { entries, isSearching } = useFound(text.trim());
  const at = Math.min(chosen, entries.length - 1);
  const navigate = useNavigate();
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const go = (entry: SearchEntry) => {
    close();
    void navigate(entry.to);
  };
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    const entry = entries[at];
    if (event.key === 'Enter' && entry) go(entry);
    else if (event.key === 'ArrowDown') setChosen(at + 1 < entries.length ? at + 1 : 0);
    else if (event.key === 'ArrowUp') setChosen(at > 0 ? at - 1 : entries.length - 1);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog opened onClose={close} title="Search everywhere" size="lg" yOffset="8vh">
      <TextInput
        // At once, so that no letter is lost; the dialog itself takes the focus later.
        autoFocus
        data-autofocus
        role="combobox"
        aria-label="Search everywhere"
        aria-expanded={entries.length > 0}
        aria-controls={entries.length > 0 ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={entries.length > 0 ? `${listId}-${at}` : undefined}
        placeholder="Serial number, device, user, page or action"
        leftSection={<SearchIcon />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <Text size="xs" c="dimmed" role="status" my={6}>
        {isSearching ? 'Searching…' : plural(entries.length, 'result')}
      </Text>
      {entries.length > 0 && (
        <ScrollArea.Autosize mah="60vh" viewportProps={{ tabIndex: -1 }}>
          <div id={listId} role="listbox" aria-label="Results" ref={list}>
            {entries.map((entry, index) => (
              <Option
                key={entry.key}
                id={`${listId}-${index}`}
                entry={entry}
                isChosen={index === at}
                isFirstOfGroup={entries[index - 1]?.group !== entry.group}
                choose={() => setChosen(index)}
                go={() => go(entry)}
              />
            ))}
          </div>
        </ScrollArea.Autosize>
      )}
    </Dialog>
  );
}

function Option({
  id,
  entry,
  isChosen,
  isFirstOfGroup,
  choose,
  go,
}: {
  readonly id: string;
  readonly entry: SearchEntry;
  readonly isChosen: boolean;
  readonly isFirstOfGroup: boolean;
  readonly choose: () => void;
  readonly go: () => void;
}) {
  return (
    <>
      {isFirstOfGroup && (
        <Text size="xs" c="dimmed" fw={600} mt="xs" mb={2} role="presentation">
          {entry.group}
        </Text>
      )}
      <Box
        id={id}
        role="option"
        aria-selected={isChosen}
        className="search-option"
        onMouseMove={choose}
        onClick={go}
      >
        <Text size="sm" component="span">
          {entry.label}
        </Text>
        {entry.hint !== undefined && (
          <Text size="xs" c="dimmed" component="span" ml="xs">
            {entry.hint}
          </Text>
        )}
      </Box>
    </>
  );
}

/** Without a text: pages. Devices first, as they are what most searches are for. */
function useFound(text: string): { readonly entries: readonly SearchEntry[]; readonly isSearching: boolean } {
  const [search] = useDebouncedValue(text, PAUSE_MS);
  const roles = { viewer: true, operator: useMay('operator'), admin: useMay('admin') };
  const devices = useApiQuery(
    'listDevices',
    { query: { search, limit: MAX_DEVICES } },
    { enabled: search !== '' },
  );
  const integrations = useApiQuery('listIntegrations', {});
  const blueprints = useApiQuery('listBlueprints', {});
  const fixed = FIXED_ENTRIES.filter(({ role = 'viewer' }) => roles[role]);
  if (text === '') return { entries: fixed.filter(({ group }) => group === 'Pages'), isSearching: false };
  const named: SearchEntry[] = [
    ...(integrations.data?.items ?? []).map(({ id, name, host }): SearchEntry => ({
      key: id,
      group: 'Integrations',
      label: name,
      hint: host,
      to: { to: '/integrations/$integrationId', params: { integrationId: id } },
    })),
    ...(blueprints.data?.items ?? []).map(({ id, name }): SearchEntry => ({
      key: id,
      group: 'Blueprints',
      label: name,
      to: { to: '/blueprints/$blueprintId', params: { blueprintId: id } },
    })),
  ];
  const isSearching = search !== text || devices.isPlaceholderData || devices.isFetching;
  const found = (isSearching ? [] : (devices.data?.items ?? [])).map((device): SearchEntry => ({
    key: device.id,
    group: 'Devices',
    label: deviceTitle(device),
    hint: [device.serialNumber, device.user].filter(Boolean).join(' · '),
    to: { to: '/devices/$deviceId', params: { deviceId: device.id } },
  }));
  const others = (['Pages', 'Actions', 'Integrations', 'Blueprints'] as const).flatMap((group) =>
    [...fixed, ...named]
      .filter((entry) => entry.group === group && matches(entry, text))
      .slice(0, MAX_OF_GROUP),
  );
  return { entries: [...found, ...others], isSearching };
}

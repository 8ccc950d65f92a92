// All devices: counts by state, filters in the address, pages by cursor, and what can be asked of many at once.
import { Button, Group, Stack, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import type { RowSelectionState } from '@tanstack/react-table';
import { useEffect, useState } from 'react';
import { ButtonLink } from '../components/links.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { plural } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import { BegunReplays } from '../rollouts/replay-progress.tsx';
import { useMay } from '../shell/session.ts';
import type { Whom } from './ask-dialog.tsx';
import { BucketCards } from './bucket-cards.tsx';
import { HIDDEN_AT_FIRST } from './device-columns.tsx';
import { DeviceFilters } from './device-filters.tsx';
import { filterOf, isFiltered, PAGE_SIZE, type DeviceSearch } from './device-search.ts';
import { DeviceTable } from './device-table.tsx';
import {
  ActionDialog,
  ActionMenu,
  ButtonToCsv,
  ColumnMenu,
  ListDialogs,
  type DeviceAction,
} from './list-actions.tsx';

export function DevicesPage() {
  const search = useSearch({ from: '/inside/devices' });
  const mayAct = useMay('operator');
  const [visible, setVisible] = useLocalStorage<Record<string, boolean>>({
    key: 'odette.device-columns',
    defaultValue: HIDDEN_AT_FIRST,
  });
  const [selected, select] = useState<RowSelectionState>({});
  const [asking, setAsking] = useState<{ ask: DeviceAction; whom: Whom }>();
  const [begun, setBegun] = useState<readonly string[]>([]);
  const filter = filterOf(search);
  const page = JSON.stringify(search);
  useEffect(() => select({}), [page]);
  const query = useApiQuery('listDevices', {
    query: {
      ...filter,
      sort: search.sort ?? 'name',
      order: search.order ?? 'asc',
      limit: PAGE_SIZE,
      ...(search.after === undefined ? {} : { after: search.after }),
    },
  });
  const ids = Object.keys(selected).filter((id) => selected[id]);
  const whom: Whom = ids.length > 0 ? { ids } : { filter };
  return (
    <Page
      title="Devices"
      help="device-states"
      actions={
        <>
          <ListDialogs maySetUsers={mayAct} />
          <ColumnMenu visible={visible} choose={setVisible} />
          <ButtonToCsv filter={filter} />
        </>
      }
    >
      <BegunReplays ids={begun} />
      <BucketCards current={search.bucket} />
      <DeviceFilters search={search} />
      <Loaded query={query} lines={10}>
        {({ items, next }) => (
          <Stack gap="sm">
            {mayAct && items.length > 0 && (
              <ActionMenu
                selected={ids.length}
                choose={(ask) => setAsking({ ask, whom })}
                clear={() => select({})}
              />
            )}
            {items.length === 0 ? (
              <NoDevices search={search} />
            ) : (
              <DeviceTable
                devices={items}
                search={search}
                visible={visible}
                selected={selected}
                select={select}
                mayAct={mayAct}
                isStale={query.isPlaceholderData}
              />
            )}
            <Pager search={search} next={next} shown={items.length} />
          </Stack>
        )}
      </Loaded>
      {asking && (
        <ActionDialog
          {...asking}
          close={() => setAsking(undefined)}
          begun={(id) => setBegun((ids) => [id, ...ids])}
        />
      )}
    </Page>
  );
}

function NoDevices({ search }: { search: DeviceSearch }) {
  if (isFiltered(search))
    return (
      <Empty title="No device matches">
        Clear the filter, or search for the start of a serial number, name or user.
      </Empty>
    );
  return (
    <Empty
      title="No device is enrolled yet"
      action={<ButtonLink to="/blueprints">Go to blueprints</ButtonLink>}
    >
      Create an enrollment code in a blueprint, then open its link on the device or send the link to the user.
    </Empty>
  );
}

function Pager({ search, next, shown }: { search: DeviceSearch; next: string | null; shown: number }) {
  const navigate = useNavigate();
  const router = useRouter();
  const [depth, setDepth] = useState(0);
  const { after, ...first } = search;
  if (after === undefined && next === null)
    return (
      <Text size="sm" c="dimmed">
        {plural(shown, 'device')}
      </Text>
    );
  return (
    <Group component="nav" aria-label="Pages of devices">
      <Button
        size="xs"
        variant="default"
        disabled={after === undefined}
        onClick={() => {
          setDepth(0);
          void navigate({ to: '/devices', search: first });
        }}
      >
        First page
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={depth === 0}
        onClick={() => {
          setDepth(depth - 1);
          router.history.back();
        }}
      >
        Previous
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={next === null}
        onClick={() => {
          if (next === null) return;
          setDepth(depth + 1);
          void navigate({ to: '/devices', search: { ...first, after: next } });
        }}
      >
        Next
      </Button>
    </Group>
  );
}

// One page of the device list as a table: sorting by the API, columns to choose, rows to select.
import { Box, Group, Table, Text, UnstyledButton } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useTable, type RowSelectionState, type Updater } from '@tanstack/react-table';
import { columns, features, SORT_OF, type Device } from './device-columns.tsx';
import type { DeviceSearch } from './device-search.ts';

export interface DeviceTableProps {
  readonly devices: Device[];
  readonly search: DeviceSearch;
  readonly visible: Record<string, boolean>;
  readonly selected: RowSelectionState;
  readonly select: (change: Updater<RowSelectionState>) => void;
  readonly mayAct: boolean;
  readonly isStale: boolean;
}

const idOf = (device: Device): string => device.id;

export function DeviceTable(props: DeviceTableProps) {
  const { devices, search, visible, selected, select, mayAct, isStale } = props;
  const navigate = useNavigate();
  const table = useTable({
    features,
    columns,
    data: devices,
    getRowId: idOf,
    state: { columnVisibility: { ...visible, select: mayAct }, rowSelection: selected },
    onRowSelectionChange: select,
  });
  const sorted = search.sort ?? 'name';
  const order = search.order ?? 'asc';
  const sortBy = (sort: DeviceSearch['sort']) => {
    const { after: _first, ...kept } = search;
    const isReversed = sort === sorted && order === 'asc';
    void navigate({
      to: '/devices',
      search: { ...kept, ...(sort === undefined ? {} : { sort }), order: isReversed ? 'desc' : 'asc' },
    });
  };
  return (
    <Box
      className="table-scroll table-dense"
      role="region"
      aria-label="Devices"
      tabIndex={0}
      opacity={isStale ? 0.6 : 1}
    >
      <Table highlightOnHover horizontalSpacing={6}>
        <Table.Thead>
          {table.getHeaderGroups().map((group) => (
            <Table.Tr key={group.id}>
              {group.headers.map((header) => {
                const sort = SORT_OF[header.column.id];
                const isSorted = sort !== undefined && sort === sorted;
                return (
                  <Table.Th
                    key={header.id}
                    scope="col"
                    aria-sort={isSorted ? (order === 'asc' ? 'ascending' : 'descending') : undefined}
                  >
                    {sort === undefined ? (
                      <table.FlexRender header={header} />
                    ) : (
                      <UnstyledButton className="sort-button" fz="sm" onClick={() => sortBy(sort)}>
                        <Group gap={4} wrap="nowrap">
                          <table.FlexRender header={header} />
                          <Text span aria-hidden="true" size="xs">
                            {isSorted ? (order === 'asc' ? '▲' : '▼') : '↕'}
                          </Text>
                        </Group>
                      </UnstyledButton>
                    )}
                  </Table.Th>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Thead>
        <Table.Tbody>
          {table.getRowModel().rows.map((row) => (
            <Table.Tr key={row.id}>
              {row.getVisibleCells().map((cell) => (
                <Table.Td key={cell.id}>
                  <table.FlexRender cell={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

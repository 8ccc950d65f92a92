// The columns of the device list, and which of them are shown (kept in this browser).
import { Checkbox, Group, Text } from '@mantine/core';
import {
  columnVisibilityFeature,
  createColumnHelper,
  rowSelectionFeature,
  tableFeatures,
} from '@tanstack/react-table';
import type { ResponseOf } from '../client.ts';
import { BucketBadge, DeviceLink, FamilySign, ModelName, TruthDots } from '../components/device-labels.tsx';
import { Moment } from '../components/moment.tsx';
import { deviceTitle, NOTHING_PENDING } from '../labels.ts';
import type { DeviceSort } from './device-search.ts';

export type Device = ResponseOf<'listDevices'>['items'][number];

export const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature });
const column = createColumnHelper<typeof features, Device>();

export const columns = column.columns([
  column.display({
    id: 'select',
    header: ({ table }) => (
      <Checkbox
        aria-label="Select all devices of this page"
        checked={table.getIsAllRowsSelected()}
        indeterminate={table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected()}
        onChange={table.getToggleAllRowsSelectedHandler()}
      />
    ),
    cell: ({ row }) => (
      <Checkbox
        aria-label={`Select ${deviceTitle(row.original)}`}
        checked={row.getIsSelected()}
        onChange={row.getToggleSelectedHandler()}
      />
    ),
  }),
  column.display({
    id: 'name',
    header: 'Device',
    cell: ({ row: { original: device } }) => (
      <Group gap={6} wrap="nowrap">
        <FamilySign family={device.family} />
        <DeviceLink device={device} />
      </Group>
    ),
  }),
  column.display({
    id: 'serialNumber',
    header: 'Serial number',
    cell: ({ row: { original: device } }) => (
      <Text size="sm" className="one-line">
        {device.serialNumber ?? '–'}
        {device.sharesSerialNumber && <span title="Shared with another device"> (shared)</span>}
      </Text>
    ),
  }),
  column.display({
    id: 'state',
    header: 'State',
    cell: ({ row: { original: device } }) => (
      <Group gap={8} wrap="nowrap">
        <BucketBadge bucket={device.bucket} />
        {device.nextStep.text !== NOTHING_PENDING && (
          <Text size="xs" c="dimmed" className="one-line next-step" title={device.nextStep.text}>
            {device.nextStep.text}
          </Text>
        )}
      </Group>
    ),
  }),
  column.display({
    id: 'truths',
    header: 'Truths',
    cell: ({ row }) => <TruthDots truths={row.original.truths} />,
  }),
  column.display({
    id: 'user',
    header: 'User',
    cell: ({ row }) => (
      <Text size="sm" className="one-line" title={row.original.user ?? undefined}>
        {row.original.user ?? '–'}
      </Text>
    ),
  }),
  column.display({
    id: 'blueprint',
    header: 'Blueprint',
    cell: ({ row }) => (
      <Text size="sm" className="one-line" title={row.original.blueprint?.name}>
        {row.original.blueprint?.name ?? '–'}
      </Text>
    ),
  }),
  column.display({
    id: 'channel',
    header: 'Channel',
    cell: ({ row }) => row.original.channel.name,
  }),
  column.display({
    id: 'model',
    header: 'Model',
    cell: ({ row }) => <ModelName device={row.original} />,
  }),
  column.display({ id: 'os', header: 'OS', cell: ({ row }) => row.original.osVersion ?? '–' }),
  column.display({
    id: 'supervised',
    header: 'Supervised',
    cell: ({ row: { original: device } }) =>
      device.isSupervised === null ? '–' : device.isSupervised ? 'Yes' : 'No',
  }),
  column.display({
    id: 'lastContact',
    header: 'Last contact',
    cell: ({ row }) => <Moment at={row.original.lastContactAt} />,
  }),
  column.display({
    id: 'certificate',
    header: 'Certificate expires',
    cell: ({ row }) => <Moment at={row.original.certificateNotAfter} />,
  }),
]);

/** Columns by which the API sorts. */
export const SORT_OF: Readonly<Record<string, DeviceSort>> = {
  name: 'name',
  serialNumber: 'serialNumber',
  user: 'user',
  lastContact: 'lastContact',
  certificate: 'certificateNotAfter',
};

export const CHOICES: Readonly<Record<string, string>> = {
  serialNumber: 'Serial number',
  truths: 'Truths',
  user: 'User',
  blueprint: 'Blueprint',
  channel: 'Channel',
  model: 'Model',
  os: 'OS',
  supervised: 'Supervised',
  lastContact: 'Last contact',
  certificate: 'Certificate expires',
};
export const HIDDEN_AT_FIRST = {
  channel: false,
  model: false,
  os: false,
  supervised: false,
  certificate: false,
};

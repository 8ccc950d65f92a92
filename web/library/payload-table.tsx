// The five payloads of Okta Device Trust: setting, platform, and what the user notices.
import { Badge, Table, Text } from '@mantine/core';
import { PAYLOAD_TABLE, type PayloadDescription } from '../../domain/payload-table.ts';
import type { Item } from './item-draft.ts';
import { ListTable } from '../components/list-table.tsx';

type Row = Omit<PayloadDescription, 'platforms'> & {
  readonly platforms: readonly string[];
  readonly applies?: boolean;
};

export function PayloadTable({ item }: { item: Item | undefined }) {
  // Before the first save there is no item to ask: the same five, without what applies.
  const rows: readonly Row[] = item?.payloads ?? PAYLOAD_TABLE;
  return (
    <ListTable
      label="Payloads"
      heads={['Setting', 'Platform', 'What the user notices', ...(item ? ['Applies'] : [])]}
    >
      {rows.map(({ setting, platforms, description, applies }) => (
        <Table.Tr key={setting}>
          <Table.Th scope="row" fw={600}>
            {setting}
          </Table.Th>
          <Table.Td>{platforms.join(', ')}</Table.Td>
          <Table.Td>
            <Text size="sm" miw={220}>
              {description}
            </Text>
          </Table.Td>
          {item && (
            <Table.Td>
              <Badge variant="light" color={applies ? 'green' : 'gray'} tt="none">
                {applies ? 'Yes' : 'No'}
              </Badge>
            </Table.Td>
          )}
        </Table.Tr>
      ))}
    </ListTable>
  );
}

// A table with its heads, in a box that scrolls sideways and that the keyboard reaches.
import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

export function ListTable({
  label,
  heads,
  highlightOnHover = false,
  isDense = false,
  children,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  readonly highlightOnHover?: boolean;
  /** Many columns: less space between them, and names and users cut earlier. */
  readonly isDense?: boolean;
  /** Rows. */
  readonly children: ReactNode;
}) {
  return (
    <div
      className={isDense ? 'table-scroll table-dense' : 'table-scroll'}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <Table highlightOnHover={highlightOnHover} horizontalSpacing={isDense ? 6 : 'xs'}>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head) => (
              <Table.Th scope="col" key={head}>
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}

// The five payloads of Okta Device Trust: setting, platform, and what the user notices.
import { Badge, Table, Text } from '@mantine/core';
import type { Item } from './item-draft.ts';

type Row = Item['payloads'][number];

/** Before the first save there is no item to ask: the same five, without what applies. */
const ALL: readonly Omit<Row, 'applies'>[] = [
  {
    setting: 'Dynamic SCEP challenge certificate',
    platforms: ['macOS'],
    description:
      "A certificate from Okta's authority, one for each device, renewed before it ends. The user notices nothing.",
  },
  {
    setting: 'OktaVerify.EnrollmentOptions',
    platforms: ['macOS'],
    description:
      'Okta Verify opens by itself with the organization filled in when an unregistered Mac opens an app that Okta protects.',
  },
  {
    setting: 'Okta Verify login item',
    platforms: ['macOS'],
    description: 'Okta Verify starts when the user logs in.',
  },
  {
    setting: 'Managed app config',
    platforms: ['iOS', 'iPadOS'],
    description:
      'Organization URL and management hint: the device registers as managed. The user notices nothing.',
  },
  {
    setting: 'SSO extension',
    platforms: ['macOS', 'iOS', 'iPadOS'],
    description: 'Users see no prompt to open Okta Verify. Not supported on Chrome or Firefox.',
  },
];

export function PayloadTable({ item }: { item: Item | undefined }) {
  const rows: readonly (Omit<Row, 'applies'> & { applies?: boolean })[] = item?.payloads ?? ALL;
  return (
    <div className="table-scroll" role="region" aria-label="Payloads" tabIndex={0}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Setting</Table.Th>
            <Table.Th scope="col">Platform</Table.Th>
            <Table.Th scope="col">What the user notices</Table.Th>
            {item && <Table.Th scope="col">Sent</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
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
        </Table.Tbody>
      </Table>
    </div>
  );
}

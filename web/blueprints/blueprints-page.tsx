// Blueprints: named groups of devices.
import { Badge, Button, Table } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { AnchorLink } from '../components/links.tsx';
import { useState } from 'react';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countText } from '../labels.ts';
import { ListTable } from '../components/list-table.tsx';
import { AddBlueprintDialog } from './add-blueprint-dialog.tsx';

export function BlueprintsPage() {
  const query = useApiQuery('listBlueprints', {});
  const isAdmin = useMay('admin');
  const navigate = useNavigate();
  const [isAdding, setAdding] = useState(false);
  const add = isAdmin ? <Button onClick={() => setAdding(true)}>Add blueprint</Button> : undefined;
  return (
    <Page
      title="Blueprints"
      help="quickstart#6-a-mac-enrolls"
      intro="Groups of devices. Each device has one blueprint; you assign library items to blueprints."
      actions={add}
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No blueprint yet" action={add}>
              Start with a test blueprint for a few devices, then create an enrollment code in it.
            </Empty>
          ) : (
            <ListTable label="Blueprints" highlightOnHover heads={['Name', 'Devices', 'Okta Verify']}>
              {items.map(({ id, name, devices, libraryItemId }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <AnchorLink
                      to="/blueprints/$blueprintId"
                      params={{ blueprintId: id }}
                      className="break-anywhere"
                    >
                      {name}
                    </AnchorLink>
                  </Table.Td>
                  <Table.Td>
                    <AnchorLink
                      to="/devices"
                      search={{ blueprint: id }}
                      aria-label={`${countText(devices)} devices of ${name}`}
                    >
                      {countText(devices)}
                    </AnchorLink>
                  </Table.Td>
                  <Table.Td>
                    {libraryItemId === null ? (
                      '–'
                    ) : (
                      <AnchorLink to="/library/okta-verify" search={{ item: libraryItemId }}>
                        <Badge variant="light" tt="none">
                          Assigned
                        </Badge>
                      </AnchorLink>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </ListTable>
          )
        }
      </Loaded>
      {isAdding && (
        <AddBlueprintDialog
          close={() => setAdding(false)}
          added={(id) => void navigate({ to: '/blueprints/$blueprintId', params: { blueprintId: id } })}
        />
      )}
    </Page>
  );
}

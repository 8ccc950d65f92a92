// Blueprints: named groups of devices.
import { Badge, Button, Table, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { AnchorLink } from '../components/links.tsx';
import { useState } from 'react';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { useApiQuery, useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countText } from '../labels.ts';
import { ListTable } from '../components/list-table.tsx';

export function BlueprintsPage() {
  const query = useApiQuery('listBlueprints', {});
  const isAdmin = useMay('admin');
  const [isAdding, setAdding] = useState(false);
  const add = isAdmin ? <Button onClick={() => setAdding(true)}>Add blueprint</Button> : undefined;
  return (
    <Page
      title="Blueprints"
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
      {isAdding && <AddDialog close={() => setAdding(false)} />}
    </Page>
  );
}

function AddDialog({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const navigate = useNavigate();
  const body = { name: name.trim() };
  const change = useChange('createBlueprint', ['listBlueprints'], ({ id }) => {
    void navigate({ to: '/blueprints/$blueprintId', params: { blueprintId: id } });
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Add a blueprint"
      confirmLabel="Add"
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={body.name === ''}
      error={change.error}
      command={odetteLine(['blueprint', 'create', body.name === '' ? 'NAME' : body.name])}
    >
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fieldError(change.error, 'name')}
        data-autofocus
      />
    </ConfirmDialog>
  );
}

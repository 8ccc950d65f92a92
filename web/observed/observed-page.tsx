// Observed devices of an integration: what Okta says of devices that another MDM server manages, and what would help.
import { Alert, Badge, Group, Paper, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { CursorPages } from '../components/cursor-pages.tsx';
import { ModelName } from '../components/device-labels.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useIntegrationTrail } from '../integrations/integration-trail.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { Remedy } from '../components/remedy.tsx';

type Observed = ResponseOf<'listObservedDevices'>['items'][number];
type State = Observed['state'];

const STATES: Readonly<Record<State, { readonly label: string; readonly color: string }>> = {
  managed: { label: 'Managed', color: 'green' },
  not_managed: { label: 'Not managed', color: 'orange' },
  not_registered: { label: 'Not registered', color: 'gray' },
  suspended: { label: 'Suspended', color: 'red' },
  deactivated: { label: 'Deactivated', color: 'red' },
};
const NAMES = Object.keys(STATES) as State[];

export function ObservedPage() {
  const { integrationId } = useParams({ from: '/inside/integrations/$integrationId/observed' });
  const above = useIntegrationTrail(integrationId);
  const totals = useApiQuery('getObservedTotals', { params: { id: integrationId } });
  return (
    <Page
      title="Observed devices"
      help="channels#observe-only"
      above={above}
      intro="Devices that another MDM server manages, as Okta shows them. Odette sends them nothing."
    >
      <Loaded query={totals} lines={1}>
        {({ asOf, devices, states }) => (
          <Stack gap="xs">
            <Text size="sm">
              {devices} devices
              {NAMES.filter((name) => states[name] > 0).map(
                (name) => ` · ${STATES[name].label}: ${states[name]}`,
              )}
              ; as of <Moment at={asOf} isDated none="no sweep yet" />
            </Text>
            {asOf === null && (
              <Alert color="yellow" title="No sweep yet">
                Odette has not read all devices from Okta yet. The list is complete after the first sweep.
              </Alert>
            )}
          </Stack>
        )}
      </Loaded>
      <Devices integrationId={integrationId} />
    </Page>
  );
}

function Devices({ integrationId }: { integrationId: string }) {
  const [after, go] = useState<string>();
  const [state, setState] = useState<State | null>(null);
  const [search, setSearch] = useState('');
  const wanted = search.trim();
  const query = useApiQuery('listObservedDevices', {
    params: { id: integrationId },
    query: {
      ...(state !== null && { state }),
      ...(wanted !== '' && { search: wanted }),
      ...(after !== undefined && { after }),
    },
  });
  return (
    <Paper withBorder p="md">
      <Stack>
        <Group>
          <TextInput
            label="Search"
            placeholder="Name, serial number or user"
            value={search}
            onChange={(event) => {
              go(undefined);
              setSearch(event.currentTarget.value);
            }}
          />
          <Select
            label="Okta says"
            clearable
            placeholder="Any"
            data={NAMES.map((value) => ({ value, label: STATES[value].label }))}
            value={state}
            onChange={(value) => {
              go(undefined);
              setState(value as State | null);
            }}
          />
        </Group>
        <Loaded query={query}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title="No device here">Okta shows no Mac, iPhone or iPad like this.</Empty>
            ) : (
              <>
                <ListTable
                  label="Observed devices"
                  heads={['Device', 'Users', 'Okta says', 'Certificate', 'What would help']}
                >
                  {items.map((device) => (
                    <Row key={device.oktaId} device={device} />
                  ))}
                </ListTable>
                <CursorPages after={after} next={next} go={go} />
              </>
            )
          }
        </Loaded>
      </Stack>
    </Paper>
  );
}

function Row({ device }: { device: Observed }) {
  const { name, serialNumber, users, state, evidence, certificate, remedy } = device;
  return (
    <Table.Tr>
      <Table.Td className="break-anywhere">
        {name}
        <Text size="xs" c="dimmed">
          <ModelName device={device} />
          {serialNumber !== null && ` · ${serialNumber}`}
        </Text>
      </Table.Td>
      <Table.Td className="break-anywhere">{users.map(({ login }) => login).join(', ')}</Table.Td>
      <Table.Td>
        <Badge variant="light" color={STATES[state].color} tt="none">
          {STATES[state].label}
        </Badge>
        <Text size="xs" c="dimmed">
          {evidence}
        </Text>
      </Table.Td>
      <Table.Td>
        {certificate === null ? 'Not shown by Okta' : <Moment at={certificate.firstUsedAt} />}
      </Table.Td>
      <Table.Td>
        <Remedy text={remedy} />
      </Table.Td>
    </Table.Tr>
  );
}

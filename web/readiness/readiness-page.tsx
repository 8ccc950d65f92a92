// Enforcement readiness of an integration: who would be locked out if a policy in Okta demanded a managed device now.
import { Alert, Button, Group, Paper, SimpleGrid, Table, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { addressOf } from '../client.ts';
import { CursorPages } from '../components/cursor-pages.tsx';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useIntegrationTrail } from '../integrations/integration-trail.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { ListTable } from '../components/list-table.tsx';

type Readiness = ResponseOf<'getEnforcementReadiness'>;

export function ReadinessPage() {
  const { integrationId } = useParams({ from: '/inside/integrations/$integrationId/readiness' });
  const above = useIntegrationTrail(integrationId);
  const params = { id: integrationId };
  const query = useApiQuery('getEnforcementReadiness', { params });
  return (
    <Page
      title="Enforcement readiness"
      above={above}
      intro="Read this before you require managed devices in an Okta policy: users without one would be locked out."
      help="operations-guide#before-a-policy-requires-managed-devices"
      actions={
        <Button variant="default" component="a" href={addressOf('exportReadiness', { params })} download>
          CSV
        </Button>
      }
    >
      <Loaded query={query}>{(readiness) => <Numbers readiness={readiness} />}</Loaded>
      <LockedOut integrationId={integrationId} />
    </Page>
  );
}

function Numbers({ readiness }: { readiness: Readiness }) {
  const { asOf, users, ready, lockedOut, devicesWithoutUser, byBlueprint, trend, integration } = readiness;
  return (
    <>
      <Text size="sm">
        <AnchorLink to="/integrations/$integrationId" params={{ integrationId: integration.id }} size="sm">
          {integration.name}
        </AnchorLink>
        , as of <Moment at={asOf} isDated none="no sync yet" />
      </Text>
      {asOf === null && (
        <Alert color="yellow" title="No sync yet">
          Odette has not read all devices from Okta yet. These numbers are valid after the first complete
          sync.
        </Alert>
      )}
      {devicesWithoutUser > 0 && (
        <Alert color="yellow" title={`${devicesWithoutUser} devices without a known user`}>
          Their users are missing from these numbers. Set the user on each device.
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Count label="Users" value={users} />
        <Count label="With a managed device" value={ready} />
        <Count label="Would be locked out" value={lockedOut} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Counts
          title="By blueprint"
          head="Blueprint"
          rows={byBlueprint.map(({ blueprint, ...counts }) => [blueprint?.name ?? 'In no blueprint', counts])}
        />
        <Counts
          title="Over time"
          head="Day"
          rows={trend
            .slice(-30)
            .reverse()
            .map(({ day, ...counts }) => [day, counts])}
        />
      </SimpleGrid>
    </>
  );
}

function Count({ label, value }: { label: string; value: number }) {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text size="xl" fw={600}>
        {value.toLocaleString()}
      </Text>
    </Paper>
  );
}

type Row = readonly [string, { readonly users: number; readonly ready: number; readonly lockedOut: number }];

function Counts({ title, head, rows }: { title: string; head: string; rows: readonly Row[] }) {
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing yet.
        </Text>
      ) : (
        <ListTable label={title} heads={[head, 'Users', 'Ready', 'Locked out']}>
          {rows.map(([name, { users, ready, lockedOut }]) => (
            <Table.Tr key={name}>
              <Table.Td className="break-anywhere">{name}</Table.Td>
              <Table.Td>{users}</Table.Td>
              <Table.Td>{ready}</Table.Td>
              <Table.Td>{lockedOut}</Table.Td>
            </Table.Tr>
          ))}
        </ListTable>
      )}
    </Paper>
  );
}

function LockedOut({ integrationId }: { integrationId: string }) {
  const [after, go] = useState<string>();
  const query = useApiQuery('listReadinessUsers', {
    params: { id: integrationId },
    query: { ...(after !== undefined && { after }) },
  });
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h4" mb="sm">
        Users who would be locked out
      </Title>
      <Loaded query={query}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="Nobody would be locked out">
              Every user that Odette and Okta know has a managed device.
            </Empty>
          ) : (
            <>
              <ListTable label="Users who would be locked out" heads={['User', 'Devices', 'Why']}>
                {items.map(({ login, devices, reason }) => (
                  <Table.Tr key={login}>
                    <Table.Td className="break-anywhere">{login}</Table.Td>
                    <Table.Td>
                      <Group gap="xs">
                        {devices.map(({ id, name }) => (
                          <AnchorLink key={id} to="/devices/$deviceId" params={{ deviceId: id }} size="sm">
                            {name}
                          </AnchorLink>
                        ))}
                      </Group>
                    </Table.Td>
                    <Table.Td>{reason}</Table.Td>
                  </Table.Tr>
                ))}
              </ListTable>
              <CursorPages after={after} next={next} go={go} />
            </>
          )
        }
      </Loaded>
    </Paper>
  );
}

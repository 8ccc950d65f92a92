// Renewals: what ends when, what is next, late or failed, and what Okta would revoke unused.
import { Paper, Table, Tabs, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { BucketBadge, DeviceLink } from '../components/device-labels.tsx';
import { CursorPages } from '../components/cursor-pages.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { HeatMap } from './heat-map.tsx';
import { ListTable } from '../components/list-table.tsx';

const STATES = {
  due: {
    label: 'Next due',
    meaning: 'Sorted by expiry, soonest first. Odette renews certificates automatically.',
  },
  late: {
    label: 'Late',
    meaning: 'The renewal window has ended without a new certificate. Turn these Macs on.',
  },
  failed: {
    label: 'Failed',
    meaning: 'The last renewal failed. Odette retries until it succeeds; the device page shows the reason.',
  },
  unused: {
    label: 'Unused',
    meaning:
      'No sign-in has used the certificate. Okta revokes it after 90 days; Odette replaces it before then.',
  },
} as const;
type State = keyof typeof STATES;

export function RenewalsPage() {
  const { state = 'due' } = useSearch({ from: '/inside/renewals' });
  const navigate = useNavigate();
  const byDay = useApiQuery('renewalsByDay', {});
  const [after, setAfter] = useState<string>();
  return (
    <Page
      title="Renewals"
      intro="Odette renews the certificates of Macs automatically, well before they expire."
    >
      <Paper withBorder p="md" component="section" aria-labelledby="year">
        <Title order={2} size="h4" id="year" mb="sm">
          The next year
        </Title>
        <Loaded query={byDay} lines={5}>
          {({ items }) => <HeatMap known={items} />}
        </Loaded>
      </Paper>
      <Tabs
        value={state}
        onChange={(value) => {
          setAfter(undefined);
          void navigate({ to: '/renewals', search: { state: value as State } });
        }}
      >
        <Tabs.List>
          {(Object.keys(STATES) as State[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {STATES[name].label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={state} pt="md">
          <Text size="sm" mb="sm">
            {STATES[state].meaning}
          </Text>
          <RenewalList state={state} after={after} go={setAfter} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function RenewalList({
  state,
  after,
  go,
}: {
  state: State;
  after: string | undefined;
  go: (after: string | undefined) => void;
}) {
  const query = useApiQuery('listRenewals', { query: { state, ...(after === undefined ? {} : { after }) } });
  return (
    <Loaded query={query}>
      {({ items, next }) =>
        items.length === 0 ? (
          <Empty title={state === 'due' ? 'No certificate yet' : 'No certificate in this state'}>
            {state === 'due' ? 'Macs get certificates during their rollout.' : 'No action needed.'}
          </Empty>
        ) : (
          <>
            <ListTable
              label={STATES[state].label}
              heads={['Device', 'User', 'Certificate expires', 'State', 'Last contact']}
            >
              {items.map((device) => (
                <Table.Tr key={device.id}>
                  <Table.Td>
                    <DeviceLink device={device} />
                  </Table.Td>
                  <Table.Td className="break-anywhere">{device.user ?? '–'}</Table.Td>
                  <Table.Td>
                    <Moment at={device.certificateNotAfter} />
                  </Table.Td>
                  <Table.Td>
                    <BucketBadge bucket={device.bucket} />
                  </Table.Td>
                  <Table.Td>
                    <Moment at={device.lastContactAt} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </ListTable>
            <CursorPages after={after} next={next} go={go} />
          </>
        )
      }
    </Loaded>
  );
}

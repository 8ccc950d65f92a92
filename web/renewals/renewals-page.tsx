// Renewals: what expires when, what is next, late or failed, what Okta would revoke unused, and what was renewed.
import { Paper, Tabs, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Loaded, Page } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { HeatMap } from './heat-map.tsx';
import { RenewalHistory } from './renewal-history.tsx';
import { RenewalList, STATES, type RenewalState } from './renewal-list.tsx';

const HISTORY = {
  label: 'History',
  meaning: 'Every renewal, who requested it, and its outcome. This list updates automatically.',
};
const TABS = { ...STATES, history: HISTORY } as const;
type Tab = RenewalState | 'history';

export function RenewalsPage() {
  const { state = 'due' } = useSearch({ from: '/inside/renewals' });
  const navigate = useNavigate();
  const byDay = useApiQuery('renewalsByDay', {});
  const [after, setAfter] = useState<string>();
  return (
    <Page
      title="Renewals"
      intro="Odette renews the certificates of Macs automatically, well before they expire."
      help="operations-guide#renewals"
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
          void navigate({ to: '/renewals', search: { state: value as Tab } });
        }}
      >
        <Tabs.List>
          {(Object.keys(TABS) as Tab[]).map((name) => (
            <Tabs.Tab key={name} value={name}>
              {TABS[name].label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={state} pt="md">
          <Text size="sm" mb="sm">
            {TABS[state].meaning}
          </Text>
          {state === 'history' ? (
            <RenewalHistory after={after} go={setAfter} />
          ) : (
            <RenewalList state={state} after={after} go={setAfter} />
          )}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

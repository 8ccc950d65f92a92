// One change on its way to a fleet, and which of its devices has which state.
import { Anchor, Badge, Table, Tabs, Text } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { CursorPages } from '../components/cursor-pages.tsx';
import { DeviceLink } from '../components/device-labels.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { countText } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import { FleetRolloutCard, isUnderWay, type FleetRollout } from './fleet-rollout-card.tsx';
import { Remedy } from '../components/remedy.tsx';

const LOOK_EVERY_MS = 3_000;
const STATES = {
  waiting: 'Waiting',
  begun: 'Under way',
  completed: 'Completed',
  failed: 'Failed',
  left: 'Left unchanged',
  overtaken: 'Superseded',
} as const;
type State = keyof typeof STATES;

export function FleetRolloutPage() {
  const { fleetRolloutId } = useParams({ from: '/inside/fleet-rollouts/$fleetRolloutId' });
  const given = { params: { id: fleetRolloutId } };
  const known = useApiQuery('getFleetRollout', given);
  const mayChange = known.data === undefined || isUnderWay(known.data);
  const query = useApiQuery('getFleetRollout', given, { everyMs: mayChange ? LOOK_EVERY_MS : false });
  return (
    <Page
      title="Change"
      help="operations-guide#changes-that-reach-many-devices"
      above={[{ label: 'Rollouts', to: { to: '/rollouts' } }]}
      intro="A change that reaches more than 20 devices: a canary first, then waves."
    >
      <Loaded query={query} lines={6}>
        {(rollout) => (
          <>
            <FleetRolloutCard rollout={rollout} headingOrder={2} />
            <Plan rollout={rollout} />
            <Devices rollout={rollout} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Plan({ rollout: { waves, wave, canaryBlueprint, temporalUrl } }: { rollout: FleetRollout }) {
  return (
    <Text size="sm">
      {waves.length > 0 &&
        `Waves: ${waves.map((size, place) => (place + 1 === wave ? `[${countText(size)}]` : countText(size))).join(', ')}. `}
      {canaryBlueprint !== null && `The canary devices are in the blueprint “${canaryBlueprint}”. `}
      {temporalUrl !== null && (
        <Anchor href={temporalUrl} target="_blank" rel="noreferrer noopener" size="sm">
          Temporal UI
        </Anchor>
      )}
    </Text>
  );
}

function Devices({ rollout }: { rollout: FleetRollout }) {
  const { state = 'begun' } = useSearch({ from: '/inside/fleet-rollouts/$fleetRolloutId' });
  const navigate = useNavigate();
  const [after, setAfter] = useState<string>();
  const query = useApiQuery('listFleetRolloutDevices', {
    params: { id: rollout.id },
    query: { state, limit: 50, ...(after === undefined ? {} : { after }) },
  });
  return (
    <Tabs
      value={state}
      onChange={(value) => {
        setAfter(undefined);
        void navigate({
          to: '/fleet-rollouts/$fleetRolloutId',
          params: { fleetRolloutId: rollout.id },
          search: { state: value as State },
        });
      }}
    >
      <Tabs.List>
        {(Object.keys(STATES) as State[]).map((value) => (
          <Tabs.Tab key={value} value={value} rightSection={<Count of={rollout.counts[value]} />}>
            {STATES[value]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={state} pt="md">
        <Loaded query={query}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title="No devices">None of the devices of this change has this state.</Empty>
            ) : (
              <>
                <ListTable
                  label="Devices of this change"
                  heads={['Device', 'Serial number', 'Wave', 'Failure']}
                >
                  {items.map(({ device, wave, failure }) => (
                    <Table.Tr key={device.id}>
                      <Table.Td>
                        <DeviceLink device={device} />
                      </Table.Td>
                      <Table.Td>{device.serialNumber ?? '–'}</Table.Td>
                      <Table.Td>{wave ?? '–'}</Table.Td>
                      <Table.Td>
                        {failure !== null && <Remedy text={`${failure.title} ${failure.remedy}`} />}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </ListTable>
                <CursorPages after={after} next={next} go={setAfter} />
              </>
            )
          }
        </Loaded>
      </Tabs.Panel>
    </Tabs>
  );
}

function Count({ of }: { of: number }) {
  return of > 0 ? (
    <Badge size="sm" variant="light" color="gray">
      {countText(of)}
    </Badge>
  ) : undefined;
}

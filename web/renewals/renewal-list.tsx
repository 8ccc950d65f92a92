// Certificates by their expiry, with the window in which each is renewed.
import { Badge, Group, Table, Text } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { CursorPages } from '../components/cursor-pages.tsx';
import { BucketBadge, DeviceLink } from '../components/device-labels.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded } from '../components/page.tsx';
import { daysText } from '../labels.ts';
import { useApiQuery } from '../queries.ts';

export const STATES = {
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
export type RenewalState = keyof typeof STATES;

type Renewal = ResponseOf<'listRenewals'>['items'][number]['renewal'];

/** Of one that is not open yet the dates say it. */
const URGENCIES = {
  due: { label: 'Renewing', color: 'yellow' },
  late: { label: 'Late', color: 'orange' },
  expired: { label: 'Expired', color: 'red' },
} as const satisfies Record<Exclude<Renewal['urgency'], 'none'>, object>;
const OPEN = { label: 'Open', color: 'green' };

export function RenewalList({
  state,
  after,
  go,
}: {
  state: RenewalState;
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
              isDense
              heads={['Device', 'User', 'Renews from', 'Renewal window', 'Expires', 'State', 'Last contact']}
            >
              {items.map((device) => (
                <Table.Tr key={device.id}>
                  <Table.Td>
                    <DeviceLink device={device} />
                  </Table.Td>
                  <Table.Td>
                    <Text size="sm" className="one-line" title={device.user ?? undefined}>
                      {device.user ?? '–'}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Moment at={device.renewal.renewsFrom} />
                  </Table.Td>
                  <Table.Td>
                    <RenewalWindow renewal={device.renewal} />
                  </Table.Td>
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

/** Green once it is open, yellow while Odette renews, orange after the window, red after the certificate's end. */
function RenewalWindow({ renewal }: { renewal: Renewal }) {
  const { windowOpensAt, windowClosesAt, urgency } = renewal;
  const isOpen = Date.parse(windowOpensAt) <= Date.now();
  const mark = urgency === 'none' ? (isOpen ? OPEN : undefined) : URGENCIES[urgency];
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
        {daysText(windowOpensAt, windowClosesAt)}
      </Text>
      {mark && (
        <Badge variant="light" color={mark.color} tt="none" style={{ flexShrink: 0 }}>
          {mark.label}
        </Badge>
      )}
    </Group>
  );
}

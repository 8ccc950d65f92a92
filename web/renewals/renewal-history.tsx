// Renewals, the newest first: who requested each, when, and what came of it. Live: the event stream reads it anew.
import { Badge, Table, Text } from '@mantine/core';
import type { ResponseOf } from '../client.ts';
import { CursorPages } from '../components/cursor-pages.tsx';
import { DeviceLink } from '../components/device-labels.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded } from '../components/page.tsx';
import { nameOfActor } from '../labels.ts';
import { useApiQuery } from '../queries.ts';

type Entry = ResponseOf<'listRenewalHistory'>['items'][number];

const OUTCOMES = {
  requested: { label: 'Not sent yet', color: 'gray' },
  sent: { label: 'Sent to the Mac', color: 'yellow' },
  installed: { label: 'Renewed', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
} as const satisfies Record<Entry['outcome'], object>;

export function RenewalHistory({
  after,
  go,
}: {
  after: string | undefined;
  go: (after: string | undefined) => void;
}) {
  const query = useApiQuery('listRenewalHistory', { query: after === undefined ? {} : { after } });
  return (
    <Loaded query={query}>
      {({ items, next }) =>
        items.length === 0 ? (
          <Empty title="No renewal yet">
            Odette renews each certificate in its renewal window. To renew one now, open its device.
          </Empty>
        ) : (
          <>
            <ListTable
              label="History of renewals"
              heads={['Requested', 'Device', 'Requested by', 'Outcome', 'New certificate expires']}
            >
              {items.map((entry) => (
                <Table.Tr key={entry.id}>
                  <Table.Td>
                    <Moment at={entry.at} />
                  </Table.Td>
                  <Table.Td>
                    <DeviceLink device={entry.device} />
                  </Table.Td>
                  <Table.Td className="break-anywhere">
                    <RequestedBy entry={entry} />
                  </Table.Td>
                  <Table.Td>
                    <Badge variant="light" color={OUTCOMES[entry.outcome].color} tt="none">
                      {OUTCOMES[entry.outcome].label}
                    </Badge>
                    {(entry.installedAt ?? entry.failureText) !== null && (
                      <Text size="xs" c="dimmed" className="break-anywhere">
                        {entry.failureText ?? <Moment at={entry.installedAt} />}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Moment at={entry.notAfter} />
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

function RequestedBy({ entry: { reason, requestedBy, note } }: { entry: Entry }) {
  if (reason === 'window') return <>Odette: the renewal window opened</>;
  if (reason === 'unused') return <>Odette: no sign-in used the certificate</>;
  const who =
    requestedBy === null ? 'An operator' : requestedBy === 'system' ? 'Odette' : nameOfActor(requestedBy);
  return (
    <>
      {who}
      {note !== null && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </>
  );
}

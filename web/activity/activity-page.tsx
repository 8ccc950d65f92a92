// Who did what, in sentences: the audit trail, with filter and export. Uses of secrets are folded.
import { Button, Stack, Table, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { addressOf } from '../client.ts';
import { AnchorLink } from '../components/links.tsx';
import { CursorPages } from '../components/cursor-pages.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { plural } from '../labels.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { ListTable } from '../components/list-table.tsx';
import { ActivityFilter, filterOf, type ActivitySearch } from './activity-filter.tsx';

type Entry = ResponseOf<'listAudit'>['items'][number];

export function ActivityPage() {
  const search: ActivitySearch = useSearch({ from: '/inside/activity' });
  const navigate = useNavigate();
  const [after, setAfter] = useState<string>();
  const filter = filterOf(search);
  const query = useApiQuery('listAudit', { query: { ...filter, ...(after === undefined ? {} : { after }) } });
  const apply = (name: keyof ActivitySearch, value: string | null) => {
    setAfter(undefined);
    const next = Object.entries({ ...search, [name]: value ?? '' }).filter(([, text]) => text !== '');
    void navigate({ to: '/activity', search: Object.fromEntries(next), replace: true });
  };
  return (
    <Page
      title="Activity"
      intro="Every change and every use of a secret."
      help="operations-guide#what-is-kept-how-long"
      actions={
        <Button variant="default" component="a" href={addressOf('exportAudit', { query: filter })} download>
          CSV
        </Button>
      }
    >
      <ActivityFilter search={search} apply={apply} />
      <Loaded query={query} lines={8}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="Nothing matches">Try a broader filter.</Empty>
          ) : (
            <>
              <ListTable label="Activity" heads={['Time', 'What happened', 'Page']}>
                {items.flatMap((entry) => [
                  ...(entry.secretUsesAfter > 0
                    ? [<FoldedUses key={`${entry.id} uses`} count={entry.secretUsesAfter} show={apply} />]
                    : []),
                  <EntryRow key={entry.id} entry={entry} />,
                ])}
              </ListTable>
              <CursorPages after={after} next={next} go={setAfter} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  const { reason } = entry.detail;
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: 'nowrap', verticalAlign: 'top' }}>
        <Moment at={entry.at} />
      </Table.Td>
      <Table.Td className="break-anywhere" miw={260}>
        <Stack gap={2}>
          <Text size="sm" title={entry.action}>
            <b>{entry.actorName}</b> {entry.text}.
          </Text>
          {entry.changes.map(({ name, before, after }) => (
            <Text key={name} size="sm" c="dimmed">
              {name}: {before ?? 'none'} → {after ?? 'none'}
            </Text>
          ))}
          {typeof reason === 'string' && reason.includes(' ') && (
            <Text size="sm" c="dimmed">
              Reason: “{reason}”
            </Text>
          )}
        </Stack>
      </Table.Td>
      <Table.Td style={{ whiteSpace: 'nowrap', verticalAlign: 'top' }}>
        <SubjectLink subject={entry.subject} />
      </Table.Td>
    </Table.Tr>
  );
}

function FoldedUses({
  count,
  show,
}: {
  readonly count: number;
  readonly show: (name: 'secrets', value: 'each') => void;
}) {
  return (
    <Table.Tr>
      <Table.Td />
      <Table.Td colSpan={2}>
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => show('secrets', 'each')}>
          {plural(count, 'use')} of secrets: show each
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

/** Where the subject has a page of its own. */
function SubjectLink({ subject }: { subject: string | null }) {
  const [, kind, id] = /^([a-z_]+):([0-9a-f-]{36})$/.exec(subject ?? '') ?? [];
  switch (id === undefined ? undefined : kind) {
    case 'device':
      return (
        <AnchorLink to="/devices/$deviceId" params={{ deviceId: id ?? '' }} size="sm">
          Device
        </AnchorLink>
      );
    case 'integration':
      return (
        <AnchorLink to="/integrations/$integrationId" params={{ integrationId: id ?? '' }} size="sm">
          Integration
        </AnchorLink>
      );
    case 'blueprint':
      return (
        <AnchorLink to="/blueprints/$blueprintId" params={{ blueprintId: id ?? '' }} size="sm">
          Blueprint
        </AnchorLink>
      );
    case 'fleet_rollout':
      return (
        <AnchorLink to="/fleet-rollouts/$fleetRolloutId" params={{ fleetRolloutId: id ?? '' }} size="sm">
          Change
        </AnchorLink>
      );
    case 'library_item':
      return (
        <AnchorLink to="/library/okta-verify" search={{ item: id ?? '' }} size="sm">
          Library item
        </AnchorLink>
      );
    default:
      return null;
  }
}

// Who did what: the audit trail, with filter and export.
import { Button, Code, Group, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { addressOf } from '../client.ts';
import { AnchorLink } from '../components/links.tsx';
import { CursorPages } from '../components/cursor-pages.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { ListTable } from '../components/list-table.tsx';

type Name = 'actor' | 'action' | 'subject' | 'from' | 'until';
type Search = Readonly<Partial<Record<Name, string>>>;

const FIELDS: readonly { name: Name; label: string; placeholder: string; type?: string }[] = [
  { name: 'actor', label: 'Actor', placeholder: 'person: or person:admin' },
  { name: 'action', label: 'Action', placeholder: 'setup. or secret.used' },
  { name: 'subject', label: 'Subject', placeholder: 'device:…' },
  { name: 'from', label: 'From', placeholder: '', type: 'date' },
  { name: 'until', label: 'Until', placeholder: '', type: 'date' },
];

/** Most entries are Odette's own uses of secrets: offered is what leaves them out. */
const ACTORS = [
  { value: 'person:', label: 'People' },
  { value: 'token:', label: 'API tokens' },
  { value: 'device:', label: 'Devices' },
  { value: 'system', label: 'Odette itself' },
];

/** Days of the reader's own calendar, both included. */
function filterOf({ from, until, ...rest }: Search): Search {
  const startOf = (day: string, days: number) => {
    const date = new Date(`${day}T00:00:00`);
    date.setDate(date.getDate() + days);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  };
  const bounds = { from: from && startOf(from, 0), until: until && startOf(until, 1) };
  return { ...rest, ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value)) };
}

export function ActivityPage() {
  const search: Search = useSearch({ from: '/inside/activity' });
  const navigate = useNavigate();
  const [after, setAfter] = useState<string>();
  const filter = filterOf(search);
  const query = useApiQuery('listAudit', { query: { ...filter, ...(after === undefined ? {} : { after }) } });
  const apply = useDebouncedCallback((name: Name, value: string) => {
    setAfter(undefined);
    const next = Object.entries({ ...search, [name]: value.trim() }).filter(([, text]) => text !== '');
    void navigate({ to: '/activity', search: Object.fromEntries(next), replace: true });
  }, 300);
  return (
    <Page
      title="Activity"
      intro="Every change and every use of a secret."
      actions={
        <Button variant="default" component="a" href={addressOf('exportAudit', { query: filter })} download>
          CSV
        </Button>
      }
    >
      <Group align="flex-end">
        {FIELDS.map(({ name, label, placeholder, type }) => (
          <TextInput
            key={name}
            size="xs"
            label={label}
            placeholder={placeholder}
            type={type ?? 'text'}
            list={name === 'actor' ? 'actors' : undefined}
            defaultValue={search[name] ?? ''}
            onChange={(event) => apply(name, event.currentTarget.value)}
          />
        ))}
        <datalist id="actors">
          {ACTORS.map(({ value, label }) => (
            <option key={value} value={value} label={label} />
          ))}
        </datalist>
      </Group>
      <Loaded query={query} lines={8}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="Nothing matches">Try a broader filter.</Empty>
          ) : (
            <>
              <ListTable label="Activity" heads={['Time', 'Actor', 'Action', 'Subject', 'Detail']}>
                {items.map((entry) => (
                  <Table.Tr key={entry.id}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }}>
                      <Moment at={entry.at} />
                    </Table.Td>
                    <Table.Td className="break-anywhere">{entry.actor}</Table.Td>
                    <Table.Td>{entry.action}</Table.Td>
                    <Table.Td className="break-anywhere">
                      <Subject subject={entry.subject} />
                    </Table.Td>
                    <Table.Td miw={240} maw={420}>
                      <Detail detail={entry.detail} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </ListTable>
              <CursorPages after={after} next={next} go={setAfter} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Subject({ subject }: { subject: string | null }) {
  const [, deviceId] = /^device:([0-9a-f-]{36})$/.exec(subject ?? '') ?? [];
  if (deviceId === undefined) return subject ?? '–';
  return (
    <AnchorLink to="/devices/$deviceId" params={{ deviceId }} size="sm">
      {subject}
    </AnchorLink>
  );
}

function Detail({ detail }: { detail: Readonly<Record<string, unknown>> }) {
  const { reason, ...rest } = detail;
  return (
    <>
      {typeof reason === 'string' && <Text size="sm">“{reason}”</Text>}
      {Object.keys(rest).length > 0 && (
        <Code className="break-anywhere" fz="xs">
          {Object.entries(rest)
            .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
            .join(', ')}
        </Code>
      )}
    </>
  );
}

// Trusted devices over 30 or 90 days: a line of its own drawing (a chart library would weigh more than the whole page), and the same as a table.
import { Card, Group, SegmentedControl, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { ListTable } from '../components/list-table.tsx';
import { Loaded } from '../components/page.tsx';
import { countText, dayText } from '../labels.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';

type Day = ResponseOf<'trustedByDay'>['items'][number];

const WIDTH = 600;
const HEIGHT = 140;
const DAY_MS = 86_400_000;

export function TrustedOverTime() {
  const [days, setDays] = useState('30');
  const query = useApiQuery('trustedByDay', { query: { days: Number(days) } });
  return (
    <Card withBorder component="section" aria-labelledby="over-time">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="over-time">
          Trusted over time
        </Title>
        <SegmentedControl
          size="xs"
          aria-label="Period"
          value={days}
          onChange={setDays}
          data={[
            { value: '30', label: '30 days' },
            { value: '90', label: '90 days' },
          ]}
        />
      </Group>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              No days yet. Odette records one after each complete sync from Okta.
            </Text>
          ) : (
            <>
              <Chart items={items} days={Number(days)} />
              <DayTable items={items} />
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

function Chart({ items, days }: { items: readonly Day[]; days: number }) {
  const most = Math.max(1, ...items.map(({ devices }) => devices));
  const end = Date.parse(new Date().toISOString().slice(0, 10));
  const pointOf = (day: string, count: number) => {
    const x = WIDTH - ((end - Date.parse(day)) / DAY_MS / Math.max(1, days - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - (count / most) * (HEIGHT - 8) - 4).toFixed(1)}`;
  };
  const newest = items.at(-1);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width="100%"
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-label={
        newest === undefined
          ? 'No days'
          : `${countText(newest.trusted)} of ${countText(newest.devices)} devices trusted on ${dayText(newest.day)}; the table below has each day`
      }
    >
      {(['devices', 'trusted'] as const).map((name) => (
        <polyline
          key={name}
          points={items.map((item) => pointOf(item.day, item[name])).join(' ')}
          fill="none"
          stroke={name === 'trusted' ? 'var(--mantine-color-green-7)' : 'var(--mantine-color-dimmed)'}
          strokeWidth={name === 'trusted' ? 2.5 : 1.5}
          strokeDasharray={name === 'trusted' ? undefined : '4 4'}
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}

function DayTable({ items }: { items: readonly Day[] }) {
  return (
    <details>
      <Text component="summary" size="sm">
        Green: trusted. Dashed: devices in scope. Show each day
      </Text>
      <ListTable label="Trusted by day" heads={['Day (UTC)', 'Trusted', 'In scope']}>
        {[...items].reverse().map(({ day, trusted, devices }) => (
          <Table.Tr key={day}>
            <Table.Td>{day}</Table.Td>
            <Table.Td>{countText(trusted)}</Table.Td>
            <Table.Td>{countText(devices)}</Table.Td>
          </Table.Tr>
        ))}
      </ListTable>
    </details>
  );
}

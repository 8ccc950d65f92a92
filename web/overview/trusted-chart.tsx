// Trusted devices over 30 or 90 days: a chart, and the same as a table.
import { Card, Group, SegmentedControl, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { ListTable } from '../components/list-table.tsx';
import { Loaded } from '../components/page.tsx';
import { countText, dayText } from '../labels.ts';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { DayChart } from './day-chart.tsx';

type Day = ResponseOf<'trustedByDay'>['items'][number];

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
              No data yet. Odette records the totals of each day after a complete sync from Okta.
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
  const newest = items.at(-1);
  const textAt = (index: number): string => {
    const item = items[index];
    return item === undefined
      ? 'No days'
      : `${countText(item.trusted)} of ${countText(item.devices)} devices trusted on ${dayText(`${item.day}T12:00:00`)}`;
  };
  return (
    <DayChart
      label={newest === undefined ? 'No days' : `${textAt(items.length - 1)}; the table below has each day`}
      days={days}
      dates={items.map(({ day }) => day)}
      lines={[
        { color: 'dimmed', isDashed: true, values: items.map(({ devices }) => devices) },
        { color: 'green-7', isDashed: false, values: items.map(({ trusted }) => trusted) },
      ]}
      textAt={textAt}
    />
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

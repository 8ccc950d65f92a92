// The doctor for the fleet: why devices in scope are not trusted, device by device, with the causes counted.
import { Badge, Group, Paper, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { CursorPages } from '../components/cursor-pages.tsx';
import { BucketBadge } from '../components/device-labels.tsx';
import { AnchorLink } from '../components/links.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { Diagnoses } from './diagnoses.tsx';

type Examined = ResponseOf<'examineFleet'>['items'];

export function DoctorPage() {
  const [after, go] = useState<string>();
  const query = useApiQuery('examineFleet', { query: { ...(after !== undefined && { after }) } });
  return (
    <Page
      title="Doctor"
      help="doctor"
      intro="Why devices in scope are not managed in Okta: each cause with its evidence and its remedy."
    >
      <Loaded query={query} lines={8}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="Every device in scope is trusted">No action needed.</Empty>
          ) : (
            <>
              <Causes items={items} />
              <Stack>
                {items.map(({ device, diagnoses }) => (
                  <Paper key={device.id} withBorder p="md">
                    <Group mb="xs">
                      <AnchorLink to="/devices/$deviceId" params={{ deviceId: device.id }}>
                        {device.name ?? device.serialNumber ?? device.id}
                      </AnchorLink>
                      <BucketBadge bucket={device.bucket} />
                      <Text size="sm" c="dimmed" className="break-anywhere">
                        {device.user ?? 'user unknown'}
                      </Text>
                    </Group>
                    {diagnoses.length === 0 ? (
                      <Text size="sm">
                        No known cause. The device page shows what the device is waiting for.
                      </Text>
                    ) : (
                      <Diagnoses deviceId={device.id} items={diagnoses} />
                    )}
                  </Paper>
                ))}
              </Stack>
              <CursorPages after={after} next={next} go={go} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Causes({ items }: { items: Examined }) {
  const counts = new Map<string, number>();
  for (const { title } of items.flatMap(({ diagnoses }) => diagnoses))
    counts.set(title, (counts.get(title) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return (
    <Stack component="ul" gap={4} pl={0} m={0} style={{ listStyle: 'none' }} aria-label="Causes on this page">
      {sorted.map(([title, count]) => (
        <Group component="li" key={title} gap="sm" wrap="nowrap">
          <Badge variant="light">{count}</Badge>
          <Text size="sm">{title}</Text>
        </Group>
      ))}
    </Stack>
  );
}

// The doctor's card on the page of a device.
import { Paper, Text, Title } from '@mantine/core';
import { Loaded } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { Diagnoses } from './diagnoses.tsx';

export function DoctorCard({ deviceId }: { deviceId: string }) {
  const query = useApiQuery('examineDevice', { params: { id: deviceId } }, { everyMs: 60_000 });
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="doctor">
      <Title order={2} size="h4" id="doctor" mb="sm">
        Doctor
      </Title>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nothing found.
            </Text>
          ) : (
            <Diagnoses deviceId={deviceId} items={items} />
          )
        }
      </Loaded>
    </Paper>
  );
}

// The counts on top of the device list; each is a link to its devices.
import { Card, SimpleGrid, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Moment } from '../components/moment.tsx';
import { useApiQuery } from '../queries.ts';
import { BUCKET_LABELS, countText, SHOWN_BUCKETS, type Bucket } from '../labels.ts';

export function BucketCards({ current }: { current?: string | undefined }) {
  const status = useApiQuery('getStatus', {});
  return (
    <div>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} component="nav" aria-label="Devices by state">
        {SHOWN_BUCKETS.map((bucket) => (
          <BucketCard
            key={bucket}
            bucket={bucket}
            count={status.data?.buckets[bucket]}
            isCurrent={current === bucket}
          />
        ))}
      </SimpleGrid>
      {status.data && status.data.devices.total > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          {status.data.asOf === null ? (
            'No sync from Okta yet'
          ) : (
            <>
              Okta data as of <Moment at={status.data.asOf} isDated />
            </>
          )}
        </Text>
      )}
    </div>
  );
}

function BucketCard({
  bucket,
  count,
  isCurrent,
}: {
  bucket: Bucket;
  count: number | undefined;
  isCurrent: boolean;
}) {
  const { label, color, meaning } = BUCKET_LABELS[bucket];
  return (
    <Card
      withBorder
      className="count-card"
      padding="md"
      renderRoot={(props) => (
        <Link
          {...props}
          to="/devices"
          search={isCurrent ? {} : { bucket }}
          aria-current={isCurrent ? 'true' : undefined}
        />
      )}
    >
      <Text size="xl" fw={700} c={count === 0 ? 'dimmed' : `var(--mantine-color-${color}-light-color)`}>
        {count === undefined ? '…' : countText(count)}
      </Text>
      <Text fw={600}>{label}</Text>
      <Text size="xs" c="dimmed">
        {meaning}
      </Text>
    </Card>
  );
}

// What happened to a device, the newest first, in product words; the raw evidence is one click away.
import { Button, Code, Paper, Text, Timeline, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { call, type ResponseOf } from '../client.ts';
import { Moment } from '../components/moment.tsx';
import { Loaded } from '../components/page.tsx';
import { durationText } from '../labels.ts';

type Entry = ResponseOf<'getDeviceTimeline'>['items'][number];

export function DeviceTimeline({ deviceId }: { deviceId: string }) {
  const query = useInfiniteQuery({
    queryKey: ['getDeviceTimeline', deviceId],
    queryFn: ({ pageParam, signal }) =>
      call('getDeviceTimeline', {
        params: { id: deviceId },
        query: { limit: 50, ...(pageParam === '' ? {} : { after: pageParam }) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
  });
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="timeline">
      <Title order={2} size="h4" id="timeline" mb="md">
        Timeline
      </Title>
      <Loaded query={query}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items);
          if (entries.length === 0)
            return (
              <Text size="sm" c="dimmed">
                No events yet.
              </Text>
            );
          return (
            <>
              <Timeline active={entries.length} bulletSize={14} lineWidth={2}>
                {entries.map((entry, index) => (
                  <Timeline.Item
                    key={entry.id}
                    color={isFailure(entry) ? 'red' : 'lake'}
                    title={
                      <Text size="sm" fw={600} className="break-anywhere">
                        {entry.text}
                      </Text>
                    }
                  >
                    <EntryDetail entry={entry} before={entries[index + 1]} />
                  </Timeline.Item>
                ))}
              </Timeline>
              {query.hasNextPage && (
                <Button
                  mt="md"
                  size="xs"
                  variant="default"
                  onClick={() => void query.fetchNextPage()}
                  loading={query.isFetchingNextPage}
                >
                  Earlier
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Paper>
  );
}

function EntryDetail({ entry, before }: { entry: Entry; before: Entry | undefined }) {
  const took = before && durationText(Date.parse(before.at), Date.parse(entry.at));
  const hasDetail = Object.keys(entry.detail).length > 0;
  return (
    <>
      <Text size="xs" c="dimmed">
        <Moment at={entry.at} />
        {took !== undefined && `, ${took} after the previous step`}
      </Text>
      {hasDetail && (
        <details open={isFailure(entry)}>
          <summary>
            <Text span size="xs">
              Evidence
            </Text>
          </summary>
          <Code
            block
            className="evidence"
            tabIndex={0}
            role="region"
            aria-label={`Evidence of: ${entry.text}`}
          >
            {JSON.stringify(entry.detail, null, 2)}
          </Code>
        </details>
      )}
    </>
  );
}

const isFailure = ({ kind }: Entry): boolean => /fail|refused|error/.test(kind);

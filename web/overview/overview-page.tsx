// The first page: what to do next, and how the fleet stands.
import { Card, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { ButtonLink } from '../components/links.tsx';
import { BucketCards } from '../devices/bucket-cards.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { countText, plural, TRUTH_LABELS, type Truth } from '../labels.ts';
import { TrustedOverTime } from './trusted-chart.tsx';
import { Onboarding, ToDoList } from './to-do.tsx';
import { WorkAhead } from './work-ahead.tsx';

type Status = ResponseOf<'getStatus'>;

export function OverviewPage() {
  const status = useApiQuery('getStatus', {}, { everyMs: 20_000 });
  const setups = useApiQuery('listSetups', { query: { status: 'open' } });
  const integrations = useApiQuery('listIntegrations', {});
  return (
    <Page title="Overview" help="quickstart">
      <Loaded query={status} lines={6}>
        {(found) => (
          <Stack gap="lg">
            {integrations.data?.items.length === 0 && setups.data?.items.length === 0 && (
              <Paper withBorder>
                <Empty
                  title="Connect your Okta tenant"
                  action={<ButtonLink to="/integrations/discover">Discover integrations</ButtonLink>}
                >
                  It takes about ten minutes, and you can stop at any step and continue another day.
                </Empty>
              </Paper>
            )}
            <Onboarding ticks={found.onboarding} />
            <BucketCards />
            <ToDoList steps={found.steps} />
            {found.devices.total > 0 && <WorkAhead />}
            <Truths status={found} />
            {found.devices.total > 0 && <TrustedOverTime />}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Truths({ status }: { status: Status }) {
  const { total, certificateApplies: macs } = status.devices;
  if (total === 0) return null;
  return (
    <Card withBorder component="section" aria-labelledby="fleet">
      <Title order={2} size="h4" id="fleet" mb="sm">
        Five truths over {countText(total)} {total === 1 ? 'device' : 'devices'} in scope
      </Title>
      <Stack gap="xs">
        {(Object.keys(TRUTH_LABELS) as Truth[]).map((truth) => (
          <div key={truth}>
            <Group justify="space-between">
              <Text size="sm">{TRUTH_LABELS[truth]}</Text>
              <Text size="sm" fw={600}>
                {countText(status.devices[truth])} of{' '}
                {truth === 'certificatePresent' ? plural(macs, 'Mac') : countText(total)}
              </Text>
            </Group>
            <Progress
              value={(100 * status.devices[truth]) / ((truth === 'certificatePresent' ? macs : total) || 1)}
              aria-label={TRUTH_LABELS[truth]}
            />
          </div>
        ))}
      </Stack>
    </Card>
  );
}

// The first page: what to do next, and how the fleet stands.
import { Alert, Badge, Card, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { ButtonLink } from '../components/links.tsx';
import { BucketCards } from '../devices/bucket-cards.tsx';
import { CommandLine } from '../components/command-line.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { countText, TRUTH_LABELS, type Truth } from '../labels.ts';

type Status = ResponseOf<'getStatus'>;

export function OverviewPage() {
  const status = useApiQuery('getStatus', {}, { everyMs: 20_000 });
  const setups = useApiQuery('listSetups', { query: { status: 'open' } });
  const integrations = useApiQuery('listIntegrations', {});
  return (
    <Page title="Overview">
      {setups.data?.items.map((setup) => (
        <Alert
          key={setup.id}
          color="blue"
          title={`Setup of ${setup.tenant?.host ?? 'an Okta tenant'} is in progress`}
        >
          <Group>
            <Text size="sm">Waiting at “{setup.guide.title}”.</Text>
            <ButtonLink size="xs" to="/setups/$setupId" params={{ setupId: setup.id }}>
              Continue setup
            </ButtonLink>
          </Group>
        </Alert>
      ))}
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
            <BucketCards />
            <Truths status={found} />
            <Needs needs={found.needs} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Truths({ status }: { status: Status }) {
  const { total } = status.devices;
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
                {countText(status.devices[truth])}
              </Text>
            </Group>
            <Progress value={(100 * status.devices[truth]) / total} aria-label={TRUTH_LABELS[truth]} />
          </div>
        ))}
      </Stack>
    </Card>
  );
}

function Needs({ needs }: { needs: Status['needs'] }) {
  if (needs.length === 0) return null;
  return (
    <Card withBorder component="section" aria-labelledby="needs">
      <Title order={2} size="h4" id="needs" mb="sm">
        What real devices still need
      </Title>
      <Stack>
        {needs.map(({ id, text, command, isRequired }) => (
          <div key={id}>
            <Group gap="xs" mb={4}>
              <Badge variant="light" color={isRequired ? 'red' : 'gray'} tt="none">
                {isRequired ? 'Required' : 'Advised'}
              </Badge>
              <Text size="sm">{text}</Text>
            </Group>
            <CommandLine command={command} label="How" />
          </div>
        ))}
      </Stack>
    </Card>
  );
}

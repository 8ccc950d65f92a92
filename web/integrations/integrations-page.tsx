// The connected Okta tenants and the setups that are under way.
import { CHANNEL_WORDS } from '../../domain/channel-words.ts';
import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core';
import { ButtonLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { BUCKET_LABELS, countText, SHOWN_BUCKETS } from '../labels.ts';
import type { Integration } from './integration.ts';

export function IntegrationsPage() {
  const integrations = useApiQuery('listIntegrations', {});
  const setups = useApiQuery('listSetups', { query: { status: 'open' } });
  const totals = useApiQuery('getTotals', {});
  const discover = <ButtonLink to="/integrations/discover">Discover integrations</ButtonLink>;
  return (
    <Page
      title="Integrations"
      help="quickstart#2-the-wizard-up-to-the-tasks-in-okta"
      intro="Connected Okta tenants."
      actions={discover}
    >
      <Loaded query={integrations}>
        {({ items }) => (
          <Stack>
            {setups.data?.items.map((setup) => (
              <Card key={setup.id} withBorder>
                <Group justify="space-between">
                  <div>
                    <Text fw={600}>Setup of {setup.tenant?.host ?? 'an Okta tenant'}</Text>
                    <Text size="sm" c="dimmed">
                      At “{setup.guide.title}”, last changed <Moment at={setup.changedAt} />
                    </Text>
                  </div>
                  <ButtonLink variant="light" to="/setups/$setupId" params={{ setupId: setup.id }}>
                    Continue setup
                  </ButtonLink>
                </Group>
              </Card>
            ))}
            {items.map((integration) => (
              <IntegrationCard
                key={integration.id}
                integration={integration}
                totals={totals.data?.items.find(({ integrationId }) => integrationId === integration.id)}
              />
            ))}
            {items.length === 0 && (setups.data?.items.length ?? 0) === 0 && (
              <Empty title="No Okta tenant is connected yet" action={discover}>
                Start with Discover integrations › Security › Okta Device Trust. It takes about ten minutes
                and needs a super admin of your Okta tenant.
              </Empty>
            )}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function IntegrationCard({
  integration,
  totals,
}: {
  integration: Integration;
  totals: ResponseOf<'getTotals'>['items'][number] | undefined;
}) {
  const broken = integration.health.filter(({ ok }) => !ok);
  return (
    <Card withBorder>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h4" className="break-anywhere">
            {integration.name}
          </Title>
          <Badge variant="light" color={broken.length > 0 ? 'red' : 'green'} tt="none">
            {broken.length > 0 ? 'Needs attention' : 'Connected'}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {integration.host}
          {integration.macOS ? ' · macOS' : ''}
          {integration.iOS ? ' · iOS and iPadOS' : ''}
          {integration.channel === 'built_in' ? '' : ` · ${CHANNEL_WORDS[integration.channel].name}`}
        </Text>
        {totals && (
          <Text size="sm">
            {SHOWN_BUCKETS.map(
              (name) => `${BUCKET_LABELS[name].label}: ${countText(totals.buckets[name])}`,
            ).join(' · ')}
            ; as of <Moment at={totals.asOf} isDated none="no sync yet" />
          </Text>
        )}
        {broken.map(({ connection, failure }) => (
          <Text key={connection} size="sm" c="var(--mantine-color-error)">
            {failure?.title}
          </Text>
        ))}
        <Group>
          <ButtonLink
            variant="default"
            size="xs"
            to="/integrations/$integrationId"
            params={{ integrationId: integration.id }}
          >
            Integration settings
          </ButtonLink>
          {integration.channel === 'observe_only' ? (
            <ButtonLink
              variant="default"
              size="xs"
              to="/integrations/$integrationId/observed"
              params={{ integrationId: integration.id }}
            >
              Observed devices
            </ButtonLink>
          ) : (
            <ButtonLink
              variant="default"
              size="xs"
              to="/library/okta-verify"
              search={{ integration: integration.id }}
            >
              Library item
            </ButtonLink>
          )}
        </Group>
      </Stack>
    </Card>
  );
}

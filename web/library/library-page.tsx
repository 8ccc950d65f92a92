// The library: App Store apps that Odette delivers, with search.
import { Badge, Card, Group, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ButtonLink } from '../components/links.tsx';
import { ShieldIcon } from '../components/icons.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { BUCKET_LABELS, countText, SHOWN_BUCKETS } from '../labels.ts';

type Item = ResponseOf<'getLibraryItem'>;
type Integration = ResponseOf<'getIntegration'>;

export function LibraryPage() {
  const { search = '' } = useSearch({ from: '/inside/library' });
  const navigate = useNavigate();
  const items = useApiQuery('listLibraryItems', {});
  const integrations = useApiQuery('listIntegrations', {});
  const isShown = (integration: Integration) =>
    `okta verify ${integration.name} ${integration.host}`.toLowerCase().includes(search.toLowerCase().trim());
  return (
    <Page
      title="Library"
      help="quickstart#5-a-test-blueprint-and-the-library-item-with-okta-device-trust-on"
      intro="Apps that Odette delivers to the devices of a blueprint."
    >
      <TextInput
        label="Search apps"
        type="search"
        maw={320}
        value={search}
        onChange={(event) => {
          const text = event.currentTarget.value;
          void navigate({ to: '/library', search: text === '' ? {} : { search: text }, replace: true });
        }}
      />
      <Stack component="section" aria-labelledby="apps">
        <Title order={2} size="h3" id="apps">
          App Store apps
        </Title>
        <Loaded query={integrations}>
          {({ items: all }) => {
            if (all.length === 0)
              return (
                <Empty
                  title="Okta Verify comes with an integration"
                  action={<ButtonLink to="/integrations/discover">Discover integrations</ButtonLink>}
                >
                  Connect an Okta tenant first. Okta Verify then appears here, ready to assign.
                </Empty>
              );
            const found = all.filter(isShown);
            if (found.length === 0)
              return <Empty title="No app matches">Odette delivers Okta Verify only.</Empty>;
            return (
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                {found.map((integration) => (
                  <AppCard
                    key={integration.id}
                    integration={integration}
                    item={items.data?.items.find(({ integrationId }) => integrationId === integration.id)}
                  />
                ))}
              </SimpleGrid>
            );
          }}
        </Loaded>
      </Stack>
    </Page>
  );
}

function AppCard({ integration, item }: { integration: Integration; item: Item | undefined }) {
  return (
    <Card withBorder>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <ShieldIcon size={36} />
          <div>
            <Title order={3} size="h4">
              Okta Verify
            </Title>
            <Text size="sm" c="dimmed" className="break-anywhere">
              {integration.name}
            </Text>
          </div>
        </Group>
        <Badge variant="light" color={item?.deviceTrustOn ? 'green' : 'gray'} tt="none" miw="fit-content">
          {item?.deviceTrustOn ? 'Device Trust on' : item ? 'Device Trust off' : 'Not assigned yet'}
        </Badge>
      </Group>
      <Text size="sm" mt="sm">
        {item
          ? SHOWN_BUCKETS.map(
              (name) => `${BUCKET_LABELS[name].label}: ${countText(item.buckets[name])}`,
            ).join(' · ')
          : 'Assign it to a test blueprint, turn Okta Device Trust on, and save.'}
      </Text>
      <Group mt="sm">
        <ButtonLink
          size="xs"
          to="/library/okta-verify"
          search={item ? { item: item.id } : { integration: integration.id }}
        >
          {item ? 'Open Okta Verify' : 'Configure Okta Verify'}
        </ButtonLink>
      </Group>
    </Card>
  );
}

// Discover integrations: what can be added, by section.
import { Alert, Button, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { ButtonLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { ShieldIcon } from '../components/icons.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { useApiQuery, useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';

export function DiscoverPage() {
  const navigate = useNavigate();
  const isAdmin = useMay('admin');
  const open = useApiQuery('listSetups', { query: { status: 'open' } });
  const start = useChange('startSetup', ['listSetups'], ({ id }) => {
    void navigate({ to: '/setups/$setupId', params: { setupId: id } });
  });
  return (
    <Page
      title="Discover integrations"
      above={[{ label: 'Integrations', to: { to: '/integrations' } }]}
      intro="Services that Odette can connect to."
      help="quickstart#2-the-wizard-up-to-the-tasks-in-okta"
    >
      <Stack>
        <Title order={2} size="h3">
          Security
        </Title>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Card withBorder padding="lg">
            <Stack gap="sm">
              <Group gap="sm">
                <ShieldIcon size={28} />
                <Title order={3} size="h4">
                  Okta Device Trust
                </Title>
              </Group>
              <Text size="sm">
                Only devices that Odette manages can reach the apps that Okta protects, and their users sign
                in with Okta FastPass: Face ID or Touch ID instead of a password. For Macs, iPhones and iPads.
              </Text>
              <Text size="sm" c="dimmed">
                Needs Okta Identity Engine, Okta FastPass, Adaptive MFA, and a super admin of your Okta
                tenant.
              </Text>
              <Loaded query={open} lines={1}>
                {({ items }) => (
                  <>
                    {items
                      .filter(({ amends }) => !amends)
                      .map((setup) => (
                        <Alert key={setup.id} color="blue" title="A setup is in progress">
                          <Text size="sm">
                            {setup.tenant?.host ?? 'New tenant'}, at “{setup.guide.title}”, last changed{' '}
                            <Moment at={setup.changedAt} />.
                          </Text>
                          <ButtonLink mt="xs" size="xs" to="/setups/$setupId" params={{ setupId: setup.id }}>
                            Continue setup
                          </ButtonLink>
                        </Alert>
                      ))}
                  </>
                )}
              </Loaded>
              <ProblemAlert error={start.error} />
              <Group>
                <Button
                  onClick={() => start.mutate({ body: {} })}
                  loading={start.isPending}
                  disabled={!isAdmin}
                >
                  Add and configure
                </Button>
                {!isAdmin && <Text size="sm">Only an admin can add it.</Text>}
              </Group>
            </Stack>
          </Card>
        </SimpleGrid>
      </Stack>
    </Page>
  );
}

// The settings of an integration: tenant, platforms, scopes, health of each connection, who set which secret when.
import { Anchor, Badge, Button, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { ButtonLink } from '../components/links.tsx';
import { useState, type ReactNode } from 'react';
import { call } from '../client.ts';
import { EnrollmentLink } from '../components/enrollment-link.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { SecretSetText, type SecretSet } from '../components/secret-input.tsx';
import { useVersioned } from '../queries.ts';
import type { StepName } from '../setup/answers.ts';
import { useMay } from '../shell/session.ts';
import { CONNECTION_LABELS } from '../labels.ts';
import { ChangeAnswerDialog, type ChangeableStep } from './change-answer-dialog.tsx';
import { Checks } from './checks.tsx';
import { ROTATION_LABELS, ToRotation } from '../rotations/to-rotation.tsx';
import { HaltedReissues } from './halted-reissues.tsx';
import { IosKeyReaders } from './ios-key-readers.tsx';
import { RemovalCard } from './removal-card.tsx';
import { NumbersCard } from './numbers-card.tsx';
import type { Integration } from './integration.ts';
import { ListTable } from '../components/list-table.tsx';
import { Section } from './section.tsx';
import { MainLink } from './main-link.tsx';
import { Remedy } from '../components/remedy.tsx';

export function IntegrationPage() {
  const { integrationId } = useParams({ from: '/inside/integrations/$integrationId' });
  const query = useVersioned('getIntegration', { params: { id: integrationId } });
  return (
    <Page
      title={query.data?.body.name ?? 'Integration'}
      help="operations-guide#removing-a-platform-or-an-integration"
      above={[{ label: 'Integrations', to: { to: '/integrations' } }]}
      intro="Okta Device Trust"
      actions={
        query.data && (
          <>
            <ButtonLink
              to="/integrations/$integrationId/readiness"
              params={{ integrationId }}
              variant="default"
            >
              Enforcement readiness
            </ButtonLink>
            <ButtonLink
              to="/integrations/$integrationId/rotation"
              params={{ integrationId }}
              variant="default"
            >
              Rotate secrets
            </ButtonLink>
            <MainLink
              integrationId={integrationId}
              isObserving={query.data.body.channel === 'observe_only'}
            />
          </>
        )
      }
    >
      <Loaded query={query} lines={8}>
        {({ body, etag }) => <Settings integration={body} etag={etag} />}
      </Loaded>
    </Page>
  );
}

function Settings({ integration, etag }: { integration: Integration; etag: string | null }) {
  const isAdmin = useMay('admin');
  const [changing, setChanging] = useState<ChangeableStep>();
  const { wizard, error } = useWizard(integration.id);
  const change = (step: ChangeableStep, label = 'Change') =>
    isAdmin && (
      <Button size="xs" variant="default" onClick={() => setChanging(step)}>
        {label}
      </Button>
    );
  const inWizard = (step: Parameters<typeof wizard>[0], label = 'Change') =>
    isAdmin && (
      <Button size="xs" variant="default" onClick={() => wizard(step)}>
        {label}
      </Button>
    );
  const { macOS, iOS } = integration;
  return (
    <Stack>
      <ProblemAlert error={error} />
      <HaltedReissues integration={integration} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Section title="Okta tenant" action={inWizard('okta_domain')}>
          <Fact label="Okta domain">{integration.host}</Fact>
          <Fact label="Custom domain">{integration.customDomain ?? 'None'}</Fact>
          {integration.settings.furtherDomains.length > 0 && (
            <Fact label="Further custom domains">{integration.settings.furtherDomains.join(', ')}</Fact>
          )}
          <Fact label="Organization">{integration.orgId}</Fact>
        </Section>
        <Section title="Credentials" action={change('credentials')}>
          <Fact label="Kind">
            {integration.credentialsKind === 'api_services_app'
              ? 'API Services app with a key pair from Odette'
              : 'API service integration'}
          </Fact>
          <Fact label="Client ID">{integration.clientId}</Fact>
          <SecretFact label="Secret" secret={integration.credentials} />
          <Fact label="Scopes">{integration.grantedScopes.join(', ') || 'None'}</Fact>
          {isAdmin && (
            <Anchor
              component="button"
              style={{ alignSelf: 'flex-start' }}
              type="button"
              size="sm"
              onClick={() => wizard('credentials_kind')}
            >
              Use another credential type
            </Anchor>
          )}
        </Section>
        {integration.channel === 'observe_only' ? (
          <ObserveOnly action={inWizard('get_started')} />
        ) : (
          <>
            <MacSettings
              macOS={macOS}
              action={macOS ? change('macos') : inWizard('platforms', 'Add macOS')}
            />
            <IosSettings
              integration={integration}
              action={iOS ? change('ios') : inWizard('platforms', 'Add iOS')}
            />
          </>
        )}
      </SimpleGrid>
      <Health integration={integration} />
      <Checks integration={integration} />
      <NumbersCard key={integration.changedAt} integration={integration} etag={etag} disabled={!isAdmin} />
      <RemovalCard integration={integration} />
      {changing && (
        <ChangeAnswerDialog step={changing} integration={integration} close={() => setChanging(undefined)} />
      )}
    </Stack>
  );
}

function ObserveOnly({ action }: { action: ReactNode }) {
  return (
    <Section title="Observe only" action={action}>
      <Text size="sm">
        Another MDM server manages the devices. Odette only reads what Okta says about them. It sends them
        nothing, and neither delivers nor renews certificates.
      </Text>
    </Section>
  );
}

function MacSettings({ macOS, action }: { macOS: Integration['macOS']; action: ReactNode }) {
  return (
    <Section title="macOS" action={action}>
      {macOS ? (
        <>
          <Fact label="SCEP URL">{macOS.scepUrl}</Fact>
          <Fact label="Challenge URL">{macOS.challengeUrl}</Fact>
          <Fact label="Username">{macOS.username}</Fact>
          <SecretFact label="Password" secret={macOS.password} />
        </>
      ) : (
        <Text size="sm">Not configured.</Text>
      )}
    </Section>
  );
}

function IosSettings({ integration, action }: { integration: Integration; action: ReactNode }) {
  const { iOS } = integration;
  return (
    <Section title="iOS and iPadOS" action={action}>
      {iOS ? (
        <>
          <Fact label="Device management provider">{iOS.providerName}</Fact>
          <SecretFact label="Secret key" secret={iOS.secretKey} />
          <IosKeyReaders integration={integration} />
        </>
      ) : (
        <Text size="sm">Not configured.</Text>
      )}
      <EnrollmentLink label="Enrollment link, for Okta" link={integration.enrollmentLink} />
    </Section>
  );
}

/** What takes more than one answer is changed in the wizard itself, which then starts with all answers filled in. */
function useWizard(integrationId: string) {
  const navigate = useNavigate();
  const { mutate, error } = useMutation({
    mutationFn: async (target: StepName) => {
      const { id } = await call('startSetup', { body: { integrationId } });
      await call('answerSetup', { params: { id }, body: { step: 'go_to', target } });
      return id;
    },
    onSuccess: (setupId) => void navigate({ to: '/setups/$setupId', params: { setupId } }),
  });
  return { wizard: mutate, error };
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" className="break-anywhere">
        {children}
      </Text>
    </div>
  );
}

function SecretFact({
  label,
  secret,
}: {
  label: string;
  secret: (SecretSet & { lastUsedAt: string | null }) | null;
}) {
  return (
    <Fact label={label}>
      {secret === null ? (
        'Not set'
      ) : (
        <>
          <SecretSetText set={secret} />; last used <Moment at={secret.lastUsedAt} none="never" />
        </>
      )}
    </Fact>
  );
}

function Health({ integration }: { integration: Integration }) {
  return (
    <Section title="Connections">
      {integration.health.length === 0 && (
        <Text size="sm" c="dimmed">
          Not used yet.
        </Text>
      )}
      {integration.health.length > 0 && (
        <ListTable label="Connection health" heads={['Connection', 'State', 'Last use']}>
          {integration.health.map(({ connection, ok, failure, at }) => (
            <Table.Tr key={connection}>
              <Table.Td>{CONNECTION_LABELS[connection]}</Table.Td>
              <Table.Td>
                <Badge variant="light" color={ok ? 'green' : 'red'} tt="none">
                  {ok ? 'Works' : 'Failing'}
                </Badge>
                {failure && (
                  <Text size="sm">
                    {failure.title} <Remedy text={failure.remedy} />
                  </Text>
                )}
                {failure?.code === 'okta.challenge_credentials_refused' && (
                  <ToRotation integrationId={integration.id} label={ROTATION_LABELS.challenge_password} />
                )}
              </Table.Td>
              <Table.Td>
                <Moment at={at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </ListTable>
      )}
    </Section>
  );
}

// Rotating the secrets of an integration: steps in Okta, what it costs, who is exposed, and how far each rotation is.
import { Alert, Anchor, Badge, Button, Code, Group, List, Paper, Stack, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { CopyValue } from '../components/copy-value.tsx';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { WavesText } from '../fleet-rollouts/waves-text.tsx';
import { nameOfActor } from '../labels.ts';
import { useIntegrationTrail } from '../integrations/integration-trail.ts';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { Remedy } from '../components/remedy.tsx';

type Plan = ResponseOf<'listRotationPlans'>['items'][number];
type Rotation = ResponseOf<'getRotation'>;

const LOOK_EVERY_MS = 2_000;

export function RotationPage() {
  const { integrationId } = useParams({ from: '/inside/integrations/$integrationId/rotation' });
  const above = useIntegrationTrail(integrationId);
  const given = { params: { id: integrationId } };
  const plans = useApiQuery('listRotationPlans', given);
  const known = useApiQuery('listRotations', given);
  const isAnyOpen = known.data?.items.some(({ endedAt }) => endedAt === null) ?? false;
  const { data } = useApiQuery('listRotations', given, { everyMs: isAnyOpen ? LOOK_EVERY_MS : false });
  return (
    <Page
      title="Rotate secrets"
      help="operations-guide#rotating-a-secret"
      above={above}
      intro="Replace each secret that Odette shares with Okta while the fleet keeps working."
    >
      <Loaded query={plans} lines={8}>
        {({ items }) => (
          <Stack>
            {items.map((plan) => (
              <SecretSection
                key={plan.kind}
                plan={plan}
                integrationId={integrationId}
                rotation={data?.items.find(({ kind }) => kind === plan.kind)}
              />
            ))}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function SecretSection(props: { plan: Plan; integrationId: string; rotation: Rotation | undefined }) {
  const { plan, integrationId, rotation } = props;
  const isAdmin = useMay('admin');
  const isOpen = rotation?.endedAt === null;
  // Kept here, because the form goes as soon as the rotation is under way.
  const [made, setMade] = useState<string | null>(null);
  return (
    <Paper withBorder p="md" component="section" aria-label={plan.title}>
      <Title order={2} size="h4" mb="xs">
        {plan.title}
      </Title>
      <Stack gap="sm">
        <List type="ordered" size="sm">
          {plan.steps.map((step) => (
            <List.Item key={step}>{step}</List.Item>
          ))}
        </List>
        <Text size="sm">
          <b>Exposure:</b> {plan.exposure}
        </Text>
        {plan.impact === null ? (
          <Text size="sm">Odette sends nothing to devices.</Text>
        ) : (
          <WavesText waves={plan.impact} />
        )}
        {rotation && <Progress rotation={rotation} />}
        {made !== null && <MadeKey secretKey={made} />}
        {isAdmin && !isOpen && <Start plan={plan} integrationId={integrationId} show={setMade} />}
      </Stack>
    </Paper>
  );
}

const REFRESHED = ['listRotations', 'getRotation', 'getIntegration', 'getStatus'] as const;

function Start({
  plan: { kind, title, isChosenFirst },
  integrationId,
  show,
}: {
  plan: Plan;
  integrationId: string;
  /** The key that Odette made; null: it was given one. */
  show: (secretKey: string | null) => void;
}) {
  const [value, setValue] = useState('');
  const start = useChange('startRotation', REFRESHED, ({ secretKey }) => {
    setValue('');
    show(secretKey);
  });
  const takesValue = kind !== 'private_key';
  const isNeeded = takesValue && !isChosenFirst;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const body = { kind, ...(value !== '' && { value }) };
        if (!isNeeded || value !== '') start.mutate({ params: { id: integrationId }, body });
      }}
    >
      <Stack gap="xs">
        {takesValue && (
          <SecretInput
            label={`New ${title}`}
            value={value}
            set={setValue}
            {...(!isNeeded && { isOptional: true, description: 'Leave it empty, and Odette creates one.' })}
          />
        )}
        <ProblemAlert error={start.error} />
        <Group justify="flex-end">
          <Button type="submit" size="xs" loading={start.isPending} disabled={isNeeded && value === ''}>
            {isNeeded ? 'Test and use it' : 'Start'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function MadeKey({ secretKey }: { secretKey: string }) {
  return (
    <Alert color="yellow" title="The new key, shown this once">
      <CopyValue label="Secret key" value={secretKey} />
    </Alert>
  );
}

const STATUS_LABELS: Readonly<Record<Rotation['status'], string>> = {
  prepared: 'Prepared',
  trying: 'Testing',
  switching: 'Switching',
  pushing: 'Pushing',
  proving: 'Proving',
  finished: 'Finished',
  refused: 'Refused',
  abandoned: 'Abandoned',
};

function Progress({ rotation }: { rotation: Rotation }) {
  const isAdmin = useMay('admin');
  const steer = useChange('steerRotation', REFRESHED);
  const { id, status, text, failure, publicJwk, orders, fleetRolloutId, provenBy, endedAt } = rotation;
  const color =
    status === 'finished' ? 'green' : status === 'refused' ? 'red' : endedAt === null ? 'blue' : 'gray';
  return (
    <Alert
      color={color}
      title={
        <Badge tt="none" variant="light" color={color}>
          {STATUS_LABELS[status]}
        </Badge>
      }
    >
      <Stack gap="xs">
        <Text size="sm" aria-live="polite">
          {text}
        </Text>
        <Text size="sm" c="dimmed">
          Started <Moment at={rotation.startedAt} /> by {nameOfActor(rotation.startedBy)}
          {rotation.committedAt !== null && (
            <>
              , in use since <Moment at={rotation.committedAt} isDated />
            </>
          )}
          {rotation.oldDestroyedAt !== null && (
            <>
              , old value deleted <Moment at={rotation.oldDestroyedAt} />
            </>
          )}
          {provenBy !== null && `, proven by the first sign-in on ${provenBy}`}
        </Text>
        {failure && (
          <Text size="sm">
            {failure.title} <Remedy text={failure.remedy} />
          </Text>
        )}
        {publicJwk && orders.length > 0 && <Code block>{JSON.stringify(publicJwk, undefined, 2)}</Code>}
        {fleetRolloutId !== null && (
          <Text size="sm">
            <AnchorLink to="/fleet-rollouts/$fleetRolloutId" params={{ fleetRolloutId }} size="sm">
              Progress, pause and stop
            </AnchorLink>
            {'; '}
            <AnchorLink
              to="/fleet-rollouts/$fleetRolloutId"
              params={{ fleetRolloutId }}
              search={{ state: status === 'pushing' ? 'begun' : 'failed' }}
              size="sm"
            >
              {status === 'pushing' ? 'devices that do not have it yet' : 'devices that were not reached'}
            </AnchorLink>
          </Text>
        )}
        {rotation.temporalUrl !== null && (
          <Anchor href={rotation.temporalUrl} target="_blank" rel="noreferrer noopener" size="sm">
            Temporal UI
          </Anchor>
        )}
        <ProblemAlert error={steer.error} />
        {isAdmin && orders.length > 0 && (
          <Group justify="flex-end">
            {orders.map((order) => (
              <Button
                key={order}
                size="xs"
                variant={order === 'commit' ? 'filled' : 'default'}
                loading={steer.isPending}
                onClick={() => steer.mutate({ params: { id }, body: { order } })}
              >
                {order === 'commit' ? 'I have set it in Okta' : 'Abandon'}
              </Button>
            ))}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

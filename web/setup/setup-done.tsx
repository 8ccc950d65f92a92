// The end of the wizard: to the settings or to the library item, and what Okta does not enforce yet.
import { Alert, Group, Paper, Stack, Title } from '@mantine/core';
import { otherServerName } from '../../domain/channel-words.ts';
import { ButtonLink } from '../components/links.tsx';
import { useEffect } from 'react';
import { MainLink } from '../integrations/main-link.tsx';
import type { Setup } from './answers.ts';
import { discardDraft } from './drafts.ts';
import { StepGuide } from './step-guide.tsx';

export function SetupDone({ setup }: { setup: Setup }) {
  useEffect(() => discardDraft(setup.id), [setup.id]);
  const { integrationId, answers } = setup;
  const isObserving = answers.channel === 'observe_only';
  const other = otherServerName(answers.channel);
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          Okta Device Trust setup complete
        </Title>
        <Alert color="green" title={`${setup.tenant?.host ?? 'The Okta tenant'} is connected`}>
          {isObserving
            ? 'Odette reads the devices of this tenant now.'
            : 'Next: assign Okta Verify to a test blueprint and turn Okta Device Trust on.'}
        </Alert>
        <StepGuide guide={{ ...setup.guide, intro: '' }} />
        {integrationId !== undefined && (
          <Group>
            <MainLink integrationId={integrationId} isObserving={isObserving} />
            {other !== undefined && (
              <ButtonLink variant="default" to="/channels">
                Go to channels: {other}
              </ButtonLink>
            )}
            <ButtonLink variant="default" to="/integrations/$integrationId" params={{ integrationId }}>
              View integration settings
            </ButtonLink>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

// The setup wizard at its own address: it opens at the step where the last one left off, whoever that was.
import { Alert, Button, Text } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { AnchorLink } from '../components/links.tsx';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { useApiQuery, useChange } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { nameOfActor } from '../labels.ts';
import type { Setup, StepName } from './answers.ts';
import { discardDraft } from './drafts.ts';
import { SetupDone } from './setup-done.tsx';
import { Wizard } from './wizard.tsx';

const FIRST = 'quickstart#2-the-wizard-up-to-the-tasks-in-okta';
const AUTHORIZE = 'quickstart#3-okta-install-and-authorize';
const PLATFORMS = 'quickstart#4-okta-device-integrations';

/** What the docs say of each step. */
const HELP: Readonly<Record<StepName, string>> = {
  get_started: FIRST,
  okta_domain: FIRST,
  credentials_kind: FIRST,
  okta_tasks: AUTHORIZE,
  credentials: AUTHORIZE,
  connect: AUTHORIZE,
  platforms: PLATFORMS,
  macos: PLATFORMS,
  ios: PLATFORMS,
  complete: 'quickstart#5-a-test-blueprint-and-the-library-item-with-okta-device-trust-on',
};

export function SetupPage() {
  const { setupId } = useParams({ from: '/inside/setups/$setupId' });
  const isAdmin = useMay('admin');
  const given = { params: { id: setupId } };
  const known = useApiQuery('getSetup', given);
  // Events tell of changes; while a check runs the page also asks by itself.
  const query = useApiQuery('getSetup', given, { everyMs: known.data?.checking ? 2_000 : 30_000 });
  return (
    <Page
      title="Okta Device Trust setup"
      above={[{ label: 'Integrations', to: { to: '/integrations' } }]}
      intro={query.data && <Who setup={query.data} />}
      help={query.data && HELP[query.data.step]}
      actions={query.data?.status === 'open' && isAdmin && <GiveUp setup={query.data} />}
    >
      <Loaded query={query} lines={8}>
        {(setup) => (
          <>
            {setup.status === 'complete' && <SetupDone setup={setup} />}
            {setup.status === 'abandoned' && (
              <Alert color="gray" title="This setup was abandoned">
                Odette uses nothing from it.{' '}
                <AnchorLink to="/integrations/discover">Start a new one</AnchorLink>
              </Alert>
            )}
            {setup.status === 'open' && !isAdmin && (
              <Alert color="blue" title="Waiting for an admin">
                The setup waits at “{setup.guide.title}”. Only an admin can answer it.
              </Alert>
            )}
            {setup.status === 'open' && isAdmin && <Wizard key={setup.id} setup={setup} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Who({ setup }: { setup: Setup }) {
  return (
    <Text size="sm">
      {setup.amends ? 'Changes an integration. ' : ''}Started <Moment at={setup.startedAt} /> by{' '}
      {nameOfActor(setup.startedBy)}. You can leave at any time and continue another day.
    </Text>
  );
}

function GiveUp({ setup }: { setup: Setup }) {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const given = { params: { id: setup.id } };
  const abandon = useChange('abandonSetup', ['listSetups', 'getSetup'], () => {
    discardDraft(setup.id);
    void navigate({ to: '/integrations' });
  });
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Abandon this setup
      </Button>
      <ConfirmDialog
        opened={isOpen}
        close={() => setOpen(false)}
        title="Abandon this setup?"
        confirmLabel="Abandon"
        isDangerous
        confirm={() => abandon.mutate(given)}
        isBusy={abandon.isPending}
        error={abandon.error}
        command={curlLine('abandonSetup', given)}
      >
        <Text>
          Odette discards its answers and secrets. What you created in Okta stays there. A new setup starts
          from the beginning.
        </Text>
      </ConfirmDialog>
    </>
  );
}

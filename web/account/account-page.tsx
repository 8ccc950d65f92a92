// One's own account: password and second factor.
import { Alert, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { Moment } from '../components/moment.tsx';
import { Loaded, Page } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { PasswordDialog } from '../shell/password-dialog.tsx';
import { useSession } from '../shell/session.ts';
import { NewRecoveryCodes, SetUpDialog, TurnOffDialog } from './second-factor-dialogs.tsx';

export function AccountPage() {
  const session = useSession();
  const query = useApiQuery('getSecondFactor', {});
  const [isChanging, setChanging] = useState(false);
  return (
    <Page title="Account" help="operations-guide#second-factor" intro={session.data?.name}>
      <Loaded query={query}>
        {(factor) =>
          factor.isLocalPerson ? (
            <Stack>
              <SecondFactorCard factor={factor} />
              {session.data?.mustSetUpSecondFactor === false && (
                <Card withBorder padding="lg">
                  <Group justify="space-between">
                    <Title order={2} size="h4">
                      Password
                    </Title>
                    <Button size="xs" variant="default" onClick={() => setChanging(true)}>
                      Change password
                    </Button>
                  </Group>
                </Card>
              )}
            </Stack>
          ) : (
            <Text>Your identity provider asks for your password and second factor.</Text>
          )
        }
      </Loaded>
      <PasswordDialog opened={isChanging} close={() => setChanging(false)} />
    </Page>
  );
}

function SecondFactorCard({ factor }: { factor: ResponseOf<'getSecondFactor'> }) {
  const [dialog, setDialog] = useState<'set up' | 'new codes' | 'turn off'>();
  const close = () => setDialog(undefined);
  return (
    <Card withBorder padding="lg" component="section" aria-labelledby="second-factor">
      <Stack gap="sm">
        <Title order={2} size="h4" id="second-factor">
          Second factor
        </Title>
        {factor.onSince === null ? (
          <>
            {factor.isRequired && (
              <Alert color="yellow" title="Odette requires a second factor">
                Set one up to continue.
              </Alert>
            )}
            <Text size="sm">
              With a second factor, someone who knows your password still needs a code from your authenticator
              app to sign in.
            </Text>
            <Group>
              <Button size="xs" onClick={() => setDialog('set up')}>
                Set up authenticator app
              </Button>
            </Group>
          </>
        ) : (
          <>
            <Text size="sm">
              On since <Moment at={factor.onSince} isDated />. {factor.recoveryCodesLeft} of 10 recovery codes
              left.
            </Text>
            <Group>
              <Button size="xs" variant="default" onClick={() => setDialog('new codes')}>
                New recovery codes
              </Button>
              {!factor.isRequired && (
                <Button size="xs" variant="default" onClick={() => setDialog('turn off')}>
                  Turn off
                </Button>
              )}
            </Group>
          </>
        )}
      </Stack>
      {dialog === 'set up' && <SetUpDialog close={close} />}
      {dialog === 'new codes' && <NewRecoveryCodes close={close} />}
      {dialog === 'turn off' && <TurnOffDialog close={close} />}
    </Card>
  );
}

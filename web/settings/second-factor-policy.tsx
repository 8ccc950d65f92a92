// A second factor for all local people, and turning it off for one who is locked out.
import { Card, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { odetteLine } from '../odette-line.ts';
import { useApiQuery, useChange } from '../queries.ts';

export function SecondFactorPolicy() {
  const query = useApiQuery('getSignInPolicy', {});
  const [wanted, setWanted] = useState<boolean>();
  return (
    <Card withBorder padding="lg">
      <Loaded query={query} lines={1}>
        {({ isSecondFactorRequired }) => (
          <Switch
            label="Require a second factor for local accounts"
            description="People without one set up an authenticator app before they can do anything else. API tokens are not affected."
            checked={isSecondFactorRequired}
            onChange={(event) => setWanted(event.currentTarget.checked)}
          />
        )}
      </Loaded>
      {wanted !== undefined && <PolicyDialog wanted={wanted} close={() => setWanted(undefined)} />}
    </Card>
  );
}

function PolicyDialog({ wanted, close }: { wanted: boolean; close: () => void }) {
  const change = useChange('setSignInPolicy', ['getSignInPolicy', 'getSession', 'getSecondFactor'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={wanted ? 'Require a second factor?' : 'No longer require a second factor?'}
      confirmLabel={wanted ? 'Require' : 'No longer require'}
      confirm={() => change.mutate({ body: { isSecondFactorRequired: wanted } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['person', 'require-second-factor', wanted ? 'on' : 'off'])}
    >
      <Text size="sm">
        {wanted
          ? 'It applies at once, including to open sessions and to your own account.'
          : 'A second factor that is on stays on; each person can turn it off.'}
      </Text>
    </ConfirmDialog>
  );
}

export function ResetSecondFactor({
  person,
  close,
}: {
  person: { id: string; name: string };
  close: () => void;
}) {
  const change = useChange('resetSecondFactor', ['listPeople'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Reset the second factor of ${person.name}?`}
      confirmLabel="Reset second factor"
      isDangerous
      confirm={() => change.mutate({ params: { id: person.id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['person', 'reset-second-factor', person.name])}
    >
      <Text size="sm">
        For a person who lost both the app and the recovery codes. Make sure that the request comes from this
        person: until they set up a new one, the password alone is enough to sign in. Odette ends their
        sessions.
      </Text>
    </ConfirmDialog>
  );
}

// What can be asked of a channel: whether it answers and what works against Odette, its devices now, its removal.
import { Alert, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { odetteLine } from '../odette-line.ts';
import { useChange } from '../queries.ts';
import type { Channel } from './channel.ts';
import { Remedy } from '../components/remedy.tsx';

interface RequestProps {
  readonly channel: Channel;
  readonly close: () => void;
}

export function Findings({ findings }: { findings: Channel['findings'] }) {
  return findings.map(({ code, title, remedy, profile, team }) => (
    <Alert key={`${code} ${profile ?? ''} ${team ?? ''}`} color="orange" title={title}>
      {profile !== null && (
        <Text size="sm" className="break-anywhere">
          Profile: {profile}
          {team !== null && team !== 0 && ` (team ${team})`}
        </Text>
      )}
      <Text size="sm">
        <Remedy text={remedy} />
      </Text>
    </Alert>
  ));
}

export function TestDialog({ channel: { id, name }, close }: RequestProps) {
  const change = useChange('testChannel', ['listChannels']);
  const said = change.data;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Test ${name}`}
      confirmLabel={said === undefined ? 'Test' : 'Test again'}
      cancelLabel="Close"
      confirm={() => change.mutate({ params: { id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['channel', 'test', name])}
    >
      <Text size="sm">
        Odette verifies the URL and key again, and checks the server for conflicts with Okta Device Trust. It
        changes nothing there.
      </Text>
      <Stack role="status">
        {said !== undefined && (
          <Alert
            color="green"
            title={
              said.server === null
                ? 'The server responds.'
                : `The server responds: ${said.server.version}, ${said.server.tier}.`
            }
          >
            {said.findings.length === 0 && 'Odette found no conflicts.'}
          </Alert>
        )}
        {said !== undefined && <Findings findings={said.findings} />}
      </Stack>
    </ConfirmDialog>
  );
}

export function ReadDialog({ channel: { id, name }, close }: RequestProps) {
  const change = useChange('readChannel', ['listChannels'], () => {
    notifications.show({ message: `Odette is reading the devices of ${name}.`, color: 'green' });
    close();
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Read the devices of ${name} now?`}
      confirmLabel="Read now"
      confirm={() => change.mutate({ params: { id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['channel', 'read', name])}
    >
      <Text size="sm">
        Odette reads the devices automatically every five minutes. While the channel is paused, the read
        waits.
      </Text>
    </ConfirmDialog>
  );
}

export function RemoveDialog({ channel: { id, name }, close }: RequestProps) {
  const change = useChange('deleteChannel', ['listChannels', 'getStatus'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Remove ${name}?`}
      confirmLabel="Remove"
      isDangerous
      confirm={() => change.mutate({ params: { id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['channel', 'delete', name])}
    >
      <Text size="sm">
        This channel has no devices. Odette deletes its URL and keys. Nothing changes on the other server.
      </Text>
    </ConfirmDialog>
  );
}

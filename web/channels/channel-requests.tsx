// What can be asked of a channel: whether it answers and what works against Odette, its devices now, its removal.
import { Alert, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { odetteLine } from '../odette-line.ts';
import { useChange } from '../queries.ts';
import type { Channel } from './channel.ts';

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
      <Text size="sm">{remedy}</Text>
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
        Odette proves address and key again, and looks for what works against Okta Device Trust there. It
        changes nothing.
      </Text>
      <Stack role="status">
        {said !== undefined && (
          <Alert
            color="green"
            title={
              said.server === null
                ? 'It answers.'
                : `It answers: ${said.server.version}, ${said.server.tier}.`
            }
          >
            {said.findings.length === 0 && 'Nothing that Odette can see works against it.'}
          </Alert>
        )}
        {said !== undefined && <Findings findings={said.findings} />}
      </Stack>
    </ConfirmDialog>
  );
}

export function ReadDialog({ channel: { id, name }, close }: RequestProps) {
  const change = useChange('readChannel', ['listChannels'], () => {
    notifications.show({ message: `The devices of ${name} are being read.`, color: 'green' });
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
        Odette reads them every five minutes by itself. While it is paused, the reading waits.
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
        No device is reached by it. Odette forgets its address and keys; in the other server nothing changes.
      </Text>
    </ConfirmDialog>
  );
}

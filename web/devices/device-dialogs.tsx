// The dialogs of one device: check now, renew, user and blueprint.
import { NativeSelect, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { deviceWord, odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { useApiQuery, useChange, type Body } from '../queries.ts';
import { deviceTitle } from '../labels.ts';
import type { DeviceDetail } from './truth-list.tsx';

export const AFTERWARDS = [
  'getDevice',
  'getDeviceTimeline',
  'listDevices',
  'getStatus',
  'listFailures',
] as const;

export interface DialogProps {
  readonly device: DeviceDetail;
  readonly close: () => void;
}

export const said = (message: string) => notifications.show({ message, color: 'green' });

export function CheckDialog({ device, close }: DialogProps) {
  const given = { params: { id: device.id } };
  const change = useChange('checkDevice', AFTERWARDS, () => {
    said('Odette asks the device. The result appears here.');
    close();
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Check ${deviceTitle(device)}`}
      confirmLabel="Check device"
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['rollout', 'start', deviceWord(device)])}
    >
      <Text>Odette asks the device what it has, and sends only what is missing.</Text>
    </ConfirmDialog>
  );
}

export function RenewDialog({ device, close }: DialogProps) {
  const [reason, setReason] = useState('');
  const given = { params: { id: device.id }, body: reasonGiven(reason) };
  const change = useChange('renewDevice', AFTERWARDS, () => {
    said('Odette is renewing the certificate.');
    close();
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Renew the certificate of ${deviceTitle(device)}`}
      confirmLabel="Renew now"
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['device', 'renew', deviceWord(device)], ['--reason', reason.trim()])}
    >
      <Text>
        The Mac gets a new certificate. Odette removes the old one when the Mac reports the new one. The user
        notices nothing.
      </Text>
      <ReasonInput reason={reason} set={setReason} />
    </ConfirmDialog>
  );
}

export function EditDialog({ device, close }: DialogProps) {
  const blueprints = useApiQuery('listBlueprints', {});
  const [user, setUser] = useState(device.user ?? '');
  const [blueprint, setBlueprint] = useState(device.blueprint?.id ?? '');
  const body = {
    ...(user.trim() === (device.user ?? '') ? {} : { user: user.trim() === '' ? null : user.trim() }),
    ...(blueprint === (device.blueprint?.id ?? '')
      ? {}
      : { blueprintId: blueprint === '' ? null : blueprint }),
  };
  const given = { params: { id: device.id }, body };
  const change = useChange('updateDevice', [...AFTERWARDS, 'listBlueprints'], () => {
    said('Saved.');
    close();
  });
  const isMoved = 'blueprintId' in body;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`User and blueprint of ${deviceTitle(device)}`}
      confirmLabel="Save"
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      isOff={Object.keys(body).length === 0}
      error={change.error}
      command={lineOf(device, body)}
    >
      <TextInput
        label="User"
        description="Okta login of the user. Odette uses it to match iPhones and iPads with Okta."
        value={user}
        onChange={(event) => setUser(event.currentTarget.value)}
        error={fieldError(change.error, 'user')}
      />
      <NativeSelect
        label="Blueprint"
        value={blueprint}
        data={[
          { value: '', label: 'None' },
          ...(blueprints.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
        ]}
        onChange={(event) => setBlueprint(event.currentTarget.value)}
      />
      {isMoved && (
        <Text size="sm">
          Odette sends what the new blueprint needs, and removes what only the old one needed after the
          removal delay. Move the device back before then to undo this.
        </Text>
      )}
    </ConfirmDialog>
  );
}

/** A mere move has a command of its own. */
function lineOf(device: DeviceDetail, body: Body<'updateDevice'>): string {
  return typeof body.blueprintId === 'string' && body.user === undefined
    ? odetteLine(['device', 'move', deviceWord(device)], ['--blueprint', body.blueprintId])
    : curlLine('updateDevice', { params: { id: device.id }, body });
}

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
    said('The device is asked. Its answer appears here.');
    close();
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Check ${deviceTitle(device)} now`}
      confirmLabel="Check now"
      confirm={() => change.mutate(given)}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['rollout', 'start', deviceWord(device)])}
    >
      <Text>
        The device is asked what it has; what is missing is sent. Nothing is sent again that is there.
      </Text>
    </ConfirmDialog>
  );
}

export function RenewDialog({ device, close }: DialogProps) {
  const [reason, setReason] = useState('');
  const given = { params: { id: device.id }, body: reasonGiven(reason) };
  const change = useChange('renewDevice', AFTERWARDS, () => {
    said('A new certificate is on its way.');
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
        The Mac gets a new certificate beside the present one. The old one is removed when the new one is seen
        on the device; the user notices nothing.
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
        description="Login in Okta. iPhones and iPads are matched to Okta's records by it."
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
          What the new blueprint&apos;s library item wants is sent. What only the old one wanted is removed
          after its delay; moving the device back before then undoes it.
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

// What an operator may ask of one device. Each dialog says what will happen before it does.
import { Button, Menu, NativeSelect, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { fieldError } from '../parts/problem-alert.tsx';
import { useAnswer, useChange } from '../queries.ts';
import { deviceTitle } from '../words.ts';
import { ReplayDialog } from '../rollouts/replay-dialog.tsx';
import type { DeviceDetail } from './truth-list.tsx';

const AFTERWARDS = ['getDevice', 'getDeviceTimeline', 'listDevices', 'getStatus', 'listFailures'] as const;
type Open = 'replay' | 'check' | 'renew' | 'edit' | undefined;

export function DeviceActions({ device }: { device: DeviceDetail }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <>
      <Button onClick={() => setOpen('check')} disabled={device.enrollmentStatus !== 'enrolled'}>
        Check now
      </Button>
      <Menu>
        <Menu.Target>
          <Button variant="default">More ▾</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen('replay')} disabled={device.failure === null}>
            Replay rollout
          </Menu.Item>
          {device.platform === 'macOS' && (
            <Menu.Item onClick={() => setOpen('renew')}>Renew certificate now</Menu.Item>
          )}
          <Menu.Item onClick={() => setOpen('edit')}>User and blueprint…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === 'check' && <CheckDialog device={device} close={close} />}
      {open === 'renew' && <RenewDialog device={device} close={close} />}
      {open === 'edit' && <EditDialog device={device} close={close} />}
      {open === 'replay' && (
        <ReplayDialog
          whom={{ deviceIds: [device.id] }}
          title={`Replay ${deviceTitle(device)}`}
          close={close}
        />
      )}
    </>
  );
}

interface DialogProps {
  readonly device: DeviceDetail;
  readonly close: () => void;
}

const said = (message: string) => notifications.show({ message, color: 'green' });

function CheckDialog({ device, close }: DialogProps) {
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
      command={curlLine('checkDevice', given)}
    >
      <Text>
        The device is asked what it has; what is missing is sent. Nothing is sent again that is there.
      </Text>
    </ConfirmDialog>
  );
}

function RenewDialog({ device, close }: DialogProps) {
  const [reason, setReason] = useState('');
  const given = { params: { id: device.id }, body: reason.trim() === '' ? {} : { reason: reason.trim() } };
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
      command={curlLine('renewDevice', given)}
    >
      <Text>
        The Mac gets a new certificate beside the present one. The old one is removed when the new one is seen
        on the device; the user notices nothing.
      </Text>
      <TextInput
        label="Reason"
        description="Kept in the activity log"
        value={reason}
        maxLength={500}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}

function EditDialog({ device, close }: DialogProps) {
  const blueprints = useAnswer('listBlueprints', {});
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
      command={curlLine('updateDevice', given)}
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

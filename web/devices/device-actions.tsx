// What may be asked of one device. Each dialog says what will happen before it does.
import { Button, Menu } from '@mantine/core';
import { CHANNEL_ABILITIES } from '../../domain/device-channel.ts';
import { deviceWord } from '../odette-line.ts';
import { ReplayDialog } from '../rollouts/replay-dialog.tsx';
import { useMay } from '../shell/session.ts';
import { deviceTitle } from '../labels.ts';
import { AskOktaButton } from './ask-okta-button.tsx';
import { CheckDialog, EditDialog, RenewDialog } from './device-dialogs.tsx';
import { ForgetDialog, RemoveDialog } from './remove-dialogs.tsx';
import { ReturnDialog } from './return-dialog.tsx';
import type { DeviceDetail } from './truth-list.tsx';

export type DeviceDialog = 'replay' | 'check' | 'renew' | 'edit' | 'remove' | 'forget' | 'return';

export function DeviceActions({
  device,
  open,
}: {
  device: DeviceDetail;
  open: (dialog: DeviceDialog) => void;
}) {
  const isAdmin = useMay('admin');
  // On another channel that server takes a device back.
  const enrolls = CHANNEL_ABILITIES[device.channel.kind].enroll;
  const hasLeft = device.enrollmentStatus === 'checked_out' || device.bucket === 'unreachable';
  return (
    <>
      <Button
        variant="default"
        onClick={() => open('check')}
        disabled={device.enrollmentStatus !== 'enrolled'}
      >
        Check device
      </Button>
      {device.integrationId !== null && <AskOktaButton device={device} variant="default" />}
      <Menu>
        <Menu.Target>
          <Button variant="default">More ▾</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => open('replay')} disabled={device.failure === null}>
            Replay rollout
          </Menu.Item>
          {device.platform === 'macOS' && (
            <Menu.Item onClick={() => open('renew')}>Renew certificate now</Menu.Item>
          )}
          <Menu.Item onClick={() => open('edit')}>User and blueprint…</Menu.Item>
          {isAdmin && enrolls && device.enrollmentStatus !== 'checked_out' && (
            <Menu.Item onClick={() => open('return')}>Allow re-enrollment…</Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item onClick={() => open('remove')} disabled={device.blueprint === null}>
            Remove from Okta Device Trust…
          </Menu.Item>
          {isAdmin && hasLeft && <Menu.Item onClick={() => open('forget')}>Delete its record…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

export function DeviceDialogs({
  device,
  opened,
  close,
}: {
  device: DeviceDetail;
  opened: DeviceDialog | undefined;
  close: () => void;
}) {
  switch (opened) {
    case 'check':
      return <CheckDialog device={device} close={close} />;
    case 'renew':
      return <RenewDialog device={device} close={close} />;
    case 'edit':
      return <EditDialog device={device} close={close} />;
    case 'remove':
      return <RemoveDialog device={device} close={close} />;
    case 'return':
      return <ReturnDialog device={device} close={close} />;
    case 'forget':
      return <ForgetDialog device={device} close={close} />;
    case 'replay':
      return (
        <ReplayDialog
          whom={{ devices: [{ id: device.id, word: deviceWord(device) }] }}
          title={`Replay ${deviceTitle(device)}`}
          close={close}
        />
      );
    case undefined:
      return null;
  }
}

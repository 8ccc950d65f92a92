// What may be asked of one device. Each dialog says what will happen before it does.
import { Button, Menu } from '@mantine/core';
import { useState } from 'react';
import { deviceWord } from '../odette-line.ts';
import { ReplayDialog } from '../rollouts/replay-dialog.tsx';
import { useMay } from '../shell/session.ts';
import { deviceTitle } from '../labels.ts';
import { CheckDialog, EditDialog, RenewDialog } from './device-dialogs.tsx';
import { ForgetDialog, RemoveDialog } from './remove-dialogs.tsx';
import { ReturnDialog } from './return-dialog.tsx';
import type { DeviceDetail } from './truth-list.tsx';

type Open = 'replay' | 'check' | 'renew' | 'edit' | 'remove' | 'forget' | 'return' | undefined;

export function DeviceActions({ device }: { device: DeviceDetail }) {
  const [open, setOpen] = useState<Open>();
  const isAdmin = useMay('admin');
  const close = () => setOpen(undefined);
  const hasLeft = device.enrollmentStatus === 'checked_out' || device.bucket === 'unreachable';
  return (
    <>
      <Button onClick={() => setOpen('check')} disabled={device.enrollmentStatus !== 'enrolled'}>
        Check now
      </Button>
      {isAdmin && device.returnAskedAt !== null && (
        <Button color="red" onClick={() => setOpen('return')}>
          Allow or refuse enrollment…
        </Button>
      )}
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
          {isAdmin && device.enrollmentStatus !== 'checked_out' && (
            <Menu.Item onClick={() => setOpen('return')}>Allow re-enrollment…</Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item onClick={() => setOpen('remove')} disabled={device.blueprint === null}>
            Remove from Okta Device Trust…
          </Menu.Item>
          {isAdmin && hasLeft && <Menu.Item onClick={() => setOpen('forget')}>Delete its record…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {open === 'check' && <CheckDialog device={device} close={close} />}
      {open === 'renew' && <RenewDialog device={device} close={close} />}
      {open === 'edit' && <EditDialog device={device} close={close} />}
      {open === 'remove' && <RemoveDialog device={device} close={close} />}
      {open === 'return' && <ReturnDialog device={device} close={close} />}
      {open === 'forget' && <ForgetDialog device={device} close={close} />}
      {open === 'replay' && (
        <ReplayDialog
          whom={{ devices: [{ id: device.id, word: deviceWord(device) }] }}
          title={`Replay ${deviceTitle(device)}`}
          close={close}
        />
      )}
    </>
  );
}

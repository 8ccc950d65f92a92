// A device asks to enroll again although its earlier enrollment has not ended: an admin allows or refuses it.
import { Button, List, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { deviceWord, odetteLine } from '../odette-line.ts';
import { useChange } from '../queries.ts';
import { deviceTitle, momentText } from '../labels.ts';
import { AFTERWARDS, said, type DialogProps } from './device-dialogs.tsx';

export function ReturnDialog({ device, close }: DialogProps) {
  const [reason, setReason] = useState('');
  const change = useChange('decideReturn', AFTERWARDS, () => {
    said('Your decision is saved.');
    close();
  });
  const decide = (decision: 'allow' | 'refuse') =>
    change.mutate({ params: { id: device.id }, body: { decision, ...reasonGiven(reason) } });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Let ${deviceTitle(device)} enroll again?`}
      confirmLabel="Allow for 24 hours"
      confirm={() => decide('allow')}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['device', 'allow-return', deviceWord(device)], ['--reason', reason.trim()])}
    >
      {device.returnAskedAt !== null && (
        <Text>
          A device with this serial number and UDID asked to enroll with a new code on{' '}
          {momentText(device.returnAskedAt)}. Odette refused it, because this device&apos;s enrollment has not
          ended.
        </Text>
      )}
      <List size="sm" spacing={4}>
        <List.Item>
          <b>Allow</b> if you know that someone erased the device or removed its enrollment profile. Ask its
          user. The device can then enroll with any code within 24 hours. Odette revokes its earlier identity,
          keeps its history, and verifies everything again.
        </List.Item>
        <List.Item>
          <b>Refuse</b> if nobody erased the device: another device may be impersonating it.
        </List.Item>
      </List>
      <ReasonInput reason={reason} set={setReason} />
      {device.returnAskedAt !== null && (
        <Button variant="default" onClick={() => decide('refuse')} loading={change.isPending}>
          Refuse
        </Button>
      )}
    </ConfirmDialog>
  );
}

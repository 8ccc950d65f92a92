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
          <b>Allow</b> if you know that the device was erased, or that its enrollment profile was removed: ask
          its user. Within 24 hours it enrolls with any code; its earlier identity is revoked, its history
          stays, and everything is proven anew.
        </List.Item>
        <List.Item>
          <b>Refuse</b> if nobody erased it: another device may pretend to be this one.
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

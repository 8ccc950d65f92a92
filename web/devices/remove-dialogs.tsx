// A device leaves Okta Device Trust, and the record of one that has left Odette is deleted.
import { List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { call } from '../client.ts';
import { deviceWord, odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { useChange } from '../queries.ts';
import { deviceTitle, plural } from '../labels.ts';
import { AFTERWARDS, said, type DialogProps } from './device-dialogs.tsx';

export function RemoveDialog({ device, close }: DialogProps) {
  const [reason, setReason] = useState('');
  const ids = [device.id];
  const preview = useQuery({
    queryKey: ['removeDevices', 'preview', device.id],
    queryFn: () => call('removeDevices', { body: { ids, preview: true } }),
  });
  const change = useChange('removeDevices', [...AFTERWARDS, 'listBlueprints'], ({ startsInMinutes }) => {
    said(`Removed from its blueprint. Odette removes the payloads ${delayText(startsInMinutes)}.`);
    close();
  });
  const blueprint = device.blueprint?.name ?? 'its blueprint';
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Remove ${deviceTitle(device)} from Okta Device Trust?`}
      confirmLabel="Remove 1 device"
      isDangerous
      confirm={() => change.mutate({ body: { ids, ...reasonGiven(reason) } })}
      isBusy={change.isPending}
      isOff={!preview.data || preview.data.devices === 0}
      error={change.error}
      command={odetteLine(['device', 'remove', deviceWord(device)], ['--reason', reason.trim()])}
    >
      <Loaded query={preview} lines={3}>
        {({ startsInMinutes }) => (
          <List size="sm" spacing={4}>
            <List.Item>
              <b>Removed</b>, {delayText(startsInMinutes)}: the profiles and Odette&apos;s app configuration,
              and with them the certificate. {device.user ?? 'Its user'} is no longer managed in Okta through
              this device.
            </List.Item>
            <List.Item>
              <b>Kept</b>: the Okta Verify app and its license, unless the library item says otherwise; the
              device&apos;s enrollment in Odette; its record in Okta.
            </List.Item>
            <List.Item>
              <b>To undo</b>: move it back to {blueprint}. Before then Odette removes nothing; later Odette
              delivers everything again.
            </List.Item>
          </List>
        )}
      </Loaded>
      <ReasonInput reason={reason} set={setReason} />
    </ConfirmDialog>
  );
}

const delayText = (minutes: number): string =>
  minutes === 0 ? 'at once' : `after ${plural(minutes, 'minute')}`;

export function ForgetDialog({ device, close }: DialogProps) {
  const navigate = useNavigate();
  const change = useChange('deleteDevice', ['listDevices', 'getStatus', 'listFailures'], () => {
    said('Odette deleted its record.');
    void navigate({ to: '/devices' });
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Delete the record of ${deviceTitle(device)}?`}
      confirmLabel="Delete 1 record"
      isDangerous
      confirm={() => change.mutate({ params: { id: device.id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['device', 'forget', deviceWord(device)])}
    >
      <Text>
        The device is no longer enrolled. This permanently deletes its truths, timeline and certificates from
        Odette. The activity log and the record in Okta stay. To come back, the device enrolls with a new
        code.
      </Text>
    </ConfirmDialog>
  );
}

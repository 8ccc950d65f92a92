// Replays failed rollouts: one, several or a whole group, with what will be sent again and a reason kept for the record.
import { List, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Body } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { useChange } from '../queries.ts';
import { plural } from '../words.ts';

type Replay = Body<'replayRollouts'>;
export type ReplayWhom = Pick<Replay, 'deviceIds' | 'failureCode'>;

const LACKING = {
  delivered: 'profiles',
  certificatePresent: 'a certificate',
  oktaVerifyManaged: 'Okta Verify',
} as const;

export function ReplayDialog({ whom, title, close }: { whom: ReplayWhom; title: string; close: () => void }) {
  const [reason, setReason] = useState('');
  const body: Replay = { ...whom, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) };
  const preview = useQuery({
    queryKey: ['replayRollouts', 'preview', whom],
    queryFn: () => call('replayRollouts', { body: { ...whom, preview: true } }),
  });
  const change = useChange(
    'replayRollouts',
    ['listFailures', 'listRollouts', 'listDevices', 'getDevice', 'getDeviceTimeline', 'getStatus'],
    ({ devices }) => {
      notifications.show({ message: `Replaying ${plural(devices, 'rollout')}.`, color: 'green' });
      close();
    },
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title={title}
      confirmLabel={preview.data ? `Replay ${plural(preview.data.devices, 'rollout')}` : 'Replay'}
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={!preview.data || preview.data.devices === 0 || reason.trim() === ''}
      error={change.error}
      command={curlLine('replayRollouts', { body })}
    >
      <ProblemAlert error={preview.error} />
      {preview.data && (
        <>
          <Text>
            {preview.data.devices === 0
              ? 'No failed rollout is left to replay.'
              : 'Only what is missing is sent again:'}
          </Text>
          <List size="sm">
            {(Object.keys(LACKING) as (keyof typeof LACKING)[])
              .filter((truth) => (preview.data.lacking[truth] ?? 0) > 0)
              .map((truth) => (
                <List.Item key={truth}>
                  {LACKING[truth]} to {plural(preview.data.lacking[truth], 'device')}
                </List.Item>
              ))}
          </List>
        </>
      )}
      <TextInput
        label="Reason"
        description="Kept in the activity log"
        value={reason}
        maxLength={500}
        required
        withAsterisk={false}
        onChange={(event) => setReason(event.currentTarget.value)}
        data-autofocus
      />
    </ConfirmDialog>
  );
}

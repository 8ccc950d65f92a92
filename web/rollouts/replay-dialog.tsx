// Replays failed rollouts: one, several or a whole group, with what will be sent again and a reason kept for the record.
import { List, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Body } from '../client.ts';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Loaded } from '../parts/page.tsx';
import { ReasonInput, reasonGiven } from '../parts/reason-input.tsx';
import { useChange } from '../queries.ts';
import { plural } from '../words.ts';

type Replay = Body<'replayRollouts'>;
type Cause = NonNullable<Replay['failureCode']>;
/** A whole group by its cause, or devices with their names on the command line. */
export type ReplayWhom = { readonly cause: Cause } | { readonly devices: { id: string; word: string }[] };

const LACKING = {
  delivered: 'profiles',
  certificatePresent: 'a certificate',
  oktaVerifyManaged: 'Okta Verify',
} as const;
const TRUTHS = Object.keys(LACKING) as (keyof typeof LACKING)[];

export function ReplayDialog({ whom, title, close }: { whom: ReplayWhom; title: string; close: () => void }) {
  const [reason, setReason] = useState('');
  const which: Pick<Replay, 'deviceIds' | 'failureCode'> =
    'cause' in whom ? { failureCode: whom.cause } : { deviceIds: whom.devices.map(({ id }) => id) };
  const preview = useQuery({
    queryKey: ['replayRollouts', 'preview', which],
    queryFn: () => call('replayRollouts', { body: { ...which, preview: true } }),
  });
  const change = useChange(
    'replayRollouts',
    [
      'listFailures',
      'listReplays',
      'listRollouts',
      'listDevices',
      'getDevice',
      'getDeviceTimeline',
      'getStatus',
    ],
    ({ devices }) => {
      notifications.show({
        message: `Replaying ${plural(devices, 'rollout')}. Its progress is on the page Rollouts.`,
        color: 'green',
      });
      close();
    },
  );
  const words = 'cause' in whom ? [] : whom.devices.map(({ word }) => word);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={title}
      confirmLabel={preview.data ? `Replay ${plural(preview.data.devices, 'rollout')}` : 'Replay'}
      confirm={() => change.mutate({ body: { ...which, ...reasonGiven(reason) } })}
      isBusy={change.isPending}
      isOff={!preview.data || preview.data.devices === 0 || reason.trim() === ''}
      error={change.error}
      command={odetteLine(
        ['rollout', 'replay', ...words],
        ...('cause' in whom ? ([['--failed'], ['--cause', whom.cause]] as const) : []),
        ['--reason', reason.trim()],
      )}
    >
      <Loaded query={preview} lines={3}>
        {({ devices, lacking }) => (
          <>
            <Text>{devices === 0 ? 'No failed rollout is left to replay.' : whatIsSent(lacking)}</Text>
            <List size="sm">
              {TRUTHS.filter((truth) => lacking[truth] > 0).map((truth) => (
                <List.Item key={truth}>
                  {LACKING[truth]} to {plural(lacking[truth], 'device')}
                </List.Item>
              ))}
            </List>
          </>
        )}
      </Loaded>
      <ReasonInput reason={reason} set={setReason} required />
    </ConfirmDialog>
  );
}

const whatIsSent = (lacking: Readonly<Record<keyof typeof LACKING, number>>): string =>
  TRUTHS.some((truth) => lacking[truth] > 0)
    ? 'Only what is missing is sent again:'
    : 'Nothing is missing: the devices are only asked what they have.';

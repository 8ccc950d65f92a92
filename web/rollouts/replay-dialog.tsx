// Replays failed rollouts: one, several, a whole group or all that a filter finds, with what will be sent again and a reason kept for the record.
import { List, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Body } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import type { DeviceFilter } from '../devices/device-search.ts';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { PortionNote } from '../components/portion-note.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { useChange } from '../queries.ts';
import { plural } from '../labels.ts';

type Replay = Body<'replayRollouts'>;
type Cause = NonNullable<Replay['failureCode']>;
/** A whole group by its cause, what failed of a filter, or devices with their names on the command line. */
type ReplayWhom =
  | { readonly cause: Cause }
  | { readonly filter: DeviceFilter }
  | { readonly devices: { id: string; word: string }[] };

const LACKING = {
  delivered: 'profiles',
  certificatePresent: 'a certificate',
  oktaVerifyManaged: 'Okta Verify',
} as const;
const TRUTHS = Object.keys(LACKING) as (keyof typeof LACKING)[];

interface ReplayDialogProps {
  readonly whom: ReplayWhom;
  readonly title: string;
  readonly close: () => void;
  /** Of a page that shows the progress itself. */
  readonly begun?: (replayId: string) => void;
}

export function ReplayDialog({ whom, title, close, begun }: ReplayDialogProps) {
  const [reason, setReason] = useState('');
  const [after, setAfter] = useState<string>();
  const which: Pick<Replay, 'deviceIds' | 'failureCode' | 'filter' | 'after'> = {
    ...whichOf(whom),
    ...(after !== undefined && { after }),
  };
  const given = { ...which, ...reasonGiven(reason) };
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
    ({ devices, replayId, next }) => {
      if (replayId !== null) begun?.(replayId);
      const place = begun ? 'on this page, and on the page Rollouts' : 'on the page Rollouts';
      notifications.show({
        message: `Replaying ${plural(devices, 'rollout')}. See the progress ${place}.`,
        color: 'green',
      });
      if (next === null) close();
      else setAfter(next);
    },
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title={title}
      confirmLabel={preview.data ? `Replay ${plural(preview.data.devices, 'rollout')}` : 'Replay'}
      confirm={() => change.mutate({ body: given })}
      isBusy={change.isPending}
      isOff={!preview.data || preview.isPlaceholderData || preview.data.devices === 0 || reason.trim() === ''}
      error={change.error}
      command={commandOf(whom, given)}
      {...(after === undefined ? {} : { cancelLabel: 'Skip the rest' })}
    >
      <Loaded query={preview} lines={3}>
        {({ devices, lacking, next }) => (
          <>
            <PortionNote portion={{ devices, next }} isFirst={after === undefined} />
            <Text>
              {'filter' in whom && 'Odette replays only the failed rollouts of the devices that match. '}
              {devices === 0 ? 'There are no failed rollouts to replay.' : whatIsSent(lacking)}
            </Text>
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

function whichOf(whom: ReplayWhom): Pick<Replay, 'deviceIds' | 'failureCode' | 'filter'> {
  if ('cause' in whom) return { failureCode: whom.cause };
  if ('filter' in whom) return { filter: whom.filter };
  return { deviceIds: whom.devices.map(({ id }) => id) };
}

/** The command line takes a cause as a whole; a filter, or the rest of a cause, needs the API. */
function commandOf(whom: ReplayWhom, body: Replay): string {
  const reason = ['--reason', body.reason] as const;
  if ('filter' in whom || body.after !== undefined) return curlLine('replayRollouts', { body });
  if ('cause' in whom)
    return odetteLine(['rollout', 'replay'], ['--failed'], ['--cause', whom.cause], reason);
  return odetteLine(['rollout', 'replay', ...whom.devices.map(({ word }) => word)], reason);
}

const whatIsSent = (lacking: Readonly<Record<keyof typeof LACKING, number>>): string =>
  TRUTHS.some((truth) => lacking[truth] > 0)
    ? 'Odette sends only what is missing:'
    : 'Nothing is missing. Odette only asks the devices what they have.';

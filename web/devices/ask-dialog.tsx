// Asks something of many devices at once: of those selected, or of all that the filter finds. It says how many before it does.
import { NativeSelect, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Body } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { ProblemAlert } from '../parts/problem-alert.tsx';
import { ReasonInput, reasonGiven } from '../parts/reason-input.tsx';
import { useAnswer, useChange } from '../queries.ts';
import { plural } from '../words.ts';
import type { DeviceFilter } from './device-search.ts';

export type Ask = Body<'askDevices'>['action'];
export type Whom = { readonly ids: string[] } | { readonly filter: DeviceFilter };

const WORDS: Readonly<Record<Ask, { title: string; label: string; consequence: string }>> = {
  check: {
    title: 'Check devices now',
    label: 'Check now',
    consequence:
      'Each device is asked what it has; what is missing is sent. Nothing is sent again that is there.',
  },
  replay: {
    title: 'Replay failed rollouts',
    label: 'Replay',
    consequence:
      'The rollout starts again where something is missing. Devices that did not fail are left alone.',
  },
  renew: {
    title: 'Renew certificates now',
    label: 'Renew now',
    consequence:
      'Each Mac gets a new certificate beside the present one; the old one goes when the new one is seen on the device.',
  },
  move: {
    title: 'Move devices to another blueprint',
    label: 'Move',
    consequence:
      'What the new blueprint’s library item wants is sent; what only the old one wanted is removed after its delay.',
  },
};

export function AskDialog({ ask, whom, close }: { ask: Ask; whom: Whom; close: () => void }) {
  const [reason, setReason] = useState('');
  const [blueprintId, setBlueprint] = useState('');
  const blueprints = useAnswer('listBlueprints', {}, { enabled: ask === 'move' });
  const change = useChange('askDevices', ['listDevices', 'getStatus', 'listFailures'], ({ devices }) => {
    notifications.show({
      message: `${WORDS[ask].label}: ${plural(devices, 'device')} asked.`,
      color: 'green',
    });
    close();
  });
  const body: Body<'askDevices'> = {
    action: ask,
    ...whom,
    ...(ask === 'move' && blueprintId !== '' ? { blueprintId } : {}),
    ...reasonGiven(reason),
  };
  const isReady = ask !== 'move' || blueprintId !== '';
  const preview = useQuery({
    queryKey: ['askDevices', 'preview', body],
    queryFn: () => call('askDevices', { body: { ...body, preview: true } }),
    enabled: isReady,
  });
  const { title, label, consequence } = WORDS[ask];
  return (
    <ConfirmDialog
      opened
      close={close}
      title={title}
      confirmLabel={preview.data ? `${label}: ${plural(preview.data.devices, 'device')}` : label}
      confirm={() => change.mutate({ body })}
      isBusy={change.isPending}
      isOff={!isReady || !preview.data || preview.data.devices === 0}
      error={change.error}
      command={lineOf(body)}
    >
      <Text>{consequence}</Text>
      {ask === 'move' && (
        <NativeSelect
          label="Blueprint"
          value={blueprintId}
          data={[
            { value: '', label: 'Choose…' },
            ...(blueprints.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(event) => setBlueprint(event.currentTarget.value)}
        />
      )}
      <ReasonInput reason={reason} set={setReason} />
      <ProblemAlert error={preview.error} />
      {preview.data?.devices === 0 && <Text c="dimmed">There is nothing to do for these devices.</Text>}
    </ConfirmDialog>
  );
}

/** Devices chosen one by one are named on the command line; a filter needs the API. */
function lineOf(body: Body<'askDevices'>): string {
  const { action, ids, reason, blueprintId } = body;
  if (ids === undefined) return curlLine('askDevices', { body });
  const words = { check: ['rollout', 'start'], replay: ['rollout', 'replay'] } as const;
  if (action === 'check' || action === 'replay')
    return odetteLine([...words[action], ...ids], ['--reason', reason]);
  if (action === 'renew') return odetteLine(['device', 'renew', ...ids], ['--reason', reason]);
  return odetteLine(['device', 'move', ...ids], ['--blueprint', blueprintId ?? 'NAME'], ['--reason', reason]);
}

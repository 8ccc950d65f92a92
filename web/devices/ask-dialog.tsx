// Asks something of many devices at once: of those selected, or of all that the filter finds. It says how many before it does.
import { NativeSelect, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Body } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { PortionNote } from '../components/portion-note.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { useApiQuery, useChange } from '../queries.ts';
import { plural } from '../labels.ts';
import type { DeviceFilter } from './device-search.ts';

export type Ask = Body<'requestFromDevices'>['action'];
export type Whom = { readonly ids: string[] } | { readonly filter: DeviceFilter };

const WORDS: Readonly<Record<Ask, { title: string; label: string; consequence: string }>> = {
  check: {
    title: 'Check devices now',
    label: 'Check now',
    consequence: 'Odette asks each device what it has, and sends only what is missing.',
  },
  renew: {
    title: 'Renew certificates now',
    label: 'Renew now',
    consequence:
      'Each Mac gets a new certificate. Odette removes the old one when the device reports the new one.',
  },
  move: {
    title: 'Move devices to another blueprint',
    label: 'Move',
    consequence:
      'Odette sends what the new blueprint needs, and removes what only the old one needed after the removal delay.',
  },
};

export function AskDialog({ ask, whom, close }: { ask: Ask; whom: Whom; close: () => void }) {
  const [reason, setReason] = useState('');
  const [blueprintId, setBlueprint] = useState('');
  const [after, setAfter] = useState<string>();
  const blueprints = useApiQuery('listBlueprints', {}, { enabled: ask === 'move' });
  const change = useChange(
    'requestFromDevices',
    ['listDevices', 'getStatus', 'listFailures'],
    ({ devices, next }) => {
      notifications.show({
        message: `${WORDS[ask].label}: ${plural(devices, 'device')} asked.`,
        color: 'green',
      });
      if (next === null) close();
      else setAfter(next);
    },
  );
  const which: Body<'requestFromDevices'> = {
    action: ask,
    ...whom,
    ...(after !== undefined && { after }),
    ...(ask === 'move' && blueprintId !== '' ? { blueprintId } : {}),
  };
  const body = { ...which, ...reasonGiven(reason) };
  const isReady = ask !== 'move' || blueprintId !== '';
  const preview = useQuery({
    queryKey: ['requestFromDevices', 'preview', which],
    queryFn: () => call('requestFromDevices', { body: { ...which, preview: true } }),
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
      isOff={!isReady || !preview.data || preview.isPlaceholderData || preview.data.devices === 0}
      error={change.error}
      command={lineOf(body)}
      {...(after === undefined ? {} : { cancelLabel: 'Skip the rest' })}
    >
      <Text>{consequence}</Text>
      {preview.data && <PortionNote portion={preview.data} isFirst={after === undefined} />}
      {ask === 'move' && (
        <NativeSelect
          label="Blueprint"
          value={blueprintId}
          disabled={after !== undefined}
          data={[
            { value: '', label: 'Choose…' },
            ...(blueprints.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(event) => setBlueprint(event.currentTarget.value)}
        />
      )}
      <ReasonInput reason={reason} set={setReason} />
      <ProblemAlert error={preview.error} />
      {preview.data?.devices === 0 && <Text c="dimmed">These devices need no action.</Text>}
    </ConfirmDialog>
  );
}

/** Devices chosen one by one are named on the command line; a filter needs the API. */
function lineOf(body: Body<'requestFromDevices'>): string {
  const { action, ids, reason, blueprintId } = body;
  if (ids === undefined) return curlLine('requestFromDevices', { body });
  if (action === 'check') return odetteLine(['rollout', 'start', ...ids], ['--reason', reason]);
  if (action === 'renew') return odetteLine(['device', 'renew', ...ids], ['--reason', reason]);
  return odetteLine(['device', 'move', ...ids], ['--blueprint', blueprintId ?? 'NAME'], ['--reason', reason]);
}

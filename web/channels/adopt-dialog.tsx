// Takes devices that are enrolled in the other server already: their UDIDs, of Fleet also serial numbers, as they are pasted.
import { Alert, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../client.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldError } from '../components/problem-alert.tsx';
import { MAX_ADOPTED_AT_ONCE } from '../../domain/device-channel.ts';
import { plural } from '../labels.ts';
import { odetteLine } from '../odette-line.ts';
import type { ResponseOf } from '../queries.ts';
import { identifiersIn, type Channel } from './channel.ts';

type Outcome = ResponseOf<'adoptDevices'>;

export function AdoptDialog({ channel, close }: { channel: Channel; close: () => void }) {
  const { id, name, kind } = channel;
  const [text, setText] = useState('');
  const client = useQueryClient();
  const named = identifiersIn(text);
  const adopt = useMutation({
    async mutationFn(udids: readonly string[]) {
      const sum: Outcome = { asked: 0, taken: 0, known: 0, refused: [] };
      for (let from = 0; from < udids.length; from += MAX_ADOPTED_AT_ONCE) {
        const body = { udids: udids.slice(from, from + MAX_ADOPTED_AT_ONCE) };
        const said = await call('adoptDevices', { params: { id }, body });
        sum.asked += said.asked;
        sum.taken += said.taken;
        sum.known += said.known;
        sum.refused.push(...said.refused);
      }
      return sum;
    },
    onSettled: () =>
      Promise.all(
        (['listChannels', 'listDevices', 'getStatus'] as const).map((operation) =>
          client.invalidateQueries({ queryKey: [operation] }),
        ),
      ),
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Adopt devices of ${name}`}
      confirmLabel={named.length === 0 ? 'Adopt' : `Adopt ${plural(named.length, 'device')}`}
      cancelLabel="Close"
      confirm={() => adopt.mutate(named)}
      isBusy={adopt.isPending}
      isOff={named.length === 0}
      error={adopt.error}
      command={odetteLine(['channel', 'adopt', name, 'FILE'])}
    >
      <Text size="sm">
        {kind === 'fleet'
          ? 'Fleet reports immediately which of these devices it manages.'
          : 'NanoMDM cannot list its enrollments, so Odette asks each device to identify itself and adopts it when it responds.'}{' '}
        Odette does not adopt a device that is enrolled in Odette or on another channel.
      </Text>
      <Textarea
        label={kind === 'fleet' ? 'UDIDs or serial numbers' : 'UDIDs'}
        description="One per line"
        value={text}
        autosize
        minRows={3}
        maxRows={10}
        spellCheck={false}
        onChange={(event) => setText(event.currentTarget.value)}
        error={fieldError(adopt.error, 'udids')}
        data-autofocus
      />
      <div role="status">{adopt.data && <Said outcome={adopt.data} />}</div>
    </ConfirmDialog>
  );
}

function Said({ outcome: { taken, asked, known, refused } }: { outcome: Outcome }) {
  return (
    <Alert color={refused.length > 0 ? 'orange' : 'green'} title={`${plural(taken, 'device')} adopted`}>
      <Text size="sm">
        {asked} asked to identify themselves, {known} already known or already asked.
      </Text>
      {refused.length > 0 && (
        <Text size="sm" className="break-anywhere">
          Not managed by the other server: {refused.join(', ')}
        </Text>
      )}
    </Alert>
  );
}

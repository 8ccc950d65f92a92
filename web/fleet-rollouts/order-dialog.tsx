// An order to a change under way: what it does to how many devices, said before.
import { Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { ReasonInput, reasonGiven } from '../components/reason-input.tsx';
import { plural } from '../labels.ts';
import { odetteLine } from '../odette-line.ts';
import { useChange, type ResponseOf } from '../queries.ts';

type FleetRollout = ResponseOf<'getFleetRollout'>;
export type Order = FleetRollout['orders'][number];

export const ORDER_LABELS: Readonly<Record<Order, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  all_at_once: 'All at once',
  abort: 'Abort',
};
const COMMANDS: Readonly<Record<Order, string>> = {
  pause: 'pause',
  resume: 'resume',
  all_at_once: 'all-at-once',
  abort: 'abort',
};
const TITLES: Readonly<Record<Order, string>> = {
  pause: 'Pause this change?',
  resume: 'Resume this change?',
  all_at_once: 'Send this change to all devices at once?',
  abort: 'Abort this change?',
};

function consequence(order: Order, { waiting, begun, completed }: FleetRollout['counts']): string {
  switch (order) {
    case 'pause':
      return `${plural(waiting, 'device waits', 'devices wait')} until someone resumes the change. ${plural(begun, 'device')} under way ${begun === 1 ? 'continues' : 'continue'}.`;
    case 'resume':
      return `${plural(waiting, 'device follows', 'devices follow')} in waves. Earlier failures no longer halt the change.`;
    case 'all_at_once':
      return `${plural(waiting, 'device starts', 'devices start')} at once: without waves, and failures no longer halt the change.`;
    case 'abort':
      return (
        `${plural(completed, 'device keeps', 'devices keep')} the change, ${plural(begun, 'device')} under way ${begun === 1 ? 'finishes' : 'finish'} it, and ` +
        `${plural(waiting, 'device stays', 'devices stay')} unchanged until another change touches ${waiting === 1 ? 'it' : 'them'}. ` +
        'The settings stay as saved: to go back, save the previous ones.'
      );
  }
}

export function OrderDialog({
  rollout,
  order,
  close,
}: {
  rollout: FleetRollout;
  order: Order;
  close: () => void;
}) {
  const [reason, setReason] = useState('');
  const change = useChange(
    'steerFleetRollout',
    ['listFleetRollouts', 'getFleetRollout', 'listFleetRolloutDevices'],
    close,
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title={TITLES[order]}
      confirmLabel={ORDER_LABELS[order]}
      isDangerous={order === 'abort' || order === 'all_at_once'}
      confirm={() => change.mutate({ params: { id: rollout.id }, body: { order, ...reasonGiven(reason) } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['fleet-rollout', COMMANDS[order], rollout.id], ['--reason', reason.trim()])}
    >
      <Text>{consequence(order, rollout.counts)}</Text>
      <ReasonInput reason={reason} set={setReason} />
    </ConfirmDialog>
  );
}

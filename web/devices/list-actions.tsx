// What can be done with the list of devices: act on those of a filter or a selection, choose columns, read it elsewhere.
import { Button, Group, Menu } from '@mantine/core';
import { useState } from 'react';
import { addressOf } from '../client.ts';
import { plural } from '../labels.ts';
import { ReplayDialog } from '../rollouts/replay-dialog.tsx';
import { AskDialog, type Ask, type Whom } from './ask-dialog.tsx';
import { CHOICES } from './device-columns.tsx';
import type { filterOf } from './device-search.ts';
import { UsersDialog } from './users-dialog.tsx';
import { WaitingDialog } from './waiting-dialog.tsx';

export type DeviceAction = Ask | 'replay';

const ACTIONS: Readonly<Record<DeviceAction, string>> = {
  check: 'Check now',
  replay: 'Replay',
  renew: 'Renew certificates',
  move: 'Move…',
};

/** @param selected how many devices are selected; none: the action is for all of the filter */
export function ActionMenu({
  selected,
  choose,
  clear,
}: {
  selected: number;
  choose: (action: DeviceAction) => void;
  clear: () => void;
}) {
  return (
    <Group gap="xs">
      <Menu>
        <Menu.Target>
          <Button size="xs" variant="light">
            {selected > 0 ? `For ${plural(selected, 'selected device')}` : 'For all matching devices'} ▾
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(ACTIONS) as DeviceAction[]).map((action) => (
            <Menu.Item key={action} onClick={() => choose(action)}>
              {ACTIONS[action]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {selected > 0 && (
        <Button size="xs" variant="subtle" onClick={clear}>
          Clear selection
        </Button>
      )}
    </Group>
  );
}

export function ActionDialog({
  ask,
  whom,
  close,
  begun,
}: {
  ask: DeviceAction;
  whom: Whom;
  close: () => void;
  begun: (replayId: string) => void;
}) {
  if (ask !== 'replay') return <AskDialog ask={ask} whom={whom} close={close} />;
  return (
    <ReplayDialog
      whom={'ids' in whom ? { devices: whom.ids.map((id) => ({ id, word: id })) } : whom}
      title="Replay failed rollouts"
      close={close}
      begun={begun}
    />
  );
}

/** The buttons for what concerns the whole list, each with its dialog. */
export function ListDialogs({ maySetUsers }: { maySetUsers: boolean }) {
  const [isUsersOpen, setUsersOpen] = useState(false);
  const [isWaitingOpen, setWaitingOpen] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setWaitingOpen(true)}>
        Waiting list
      </Button>
      {maySetUsers && (
        <Button variant="default" onClick={() => setUsersOpen(true)}>
          Set users…
        </Button>
      )}
      {isUsersOpen && <UsersDialog opened close={() => setUsersOpen(false)} />}
      <WaitingDialog opened={isWaitingOpen} close={() => setWaitingOpen(false)} />
    </>
  );
}

export function ColumnMenu({
  visible,
  choose,
}: {
  visible: Record<string, boolean>;
  choose: (visible: Record<string, boolean>) => void;
}) {
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default">Columns</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.entries(CHOICES).map(([id, label]) => {
          const isShown = visible[id] !== false;
          return (
            <Menu.CheckboxItem
              key={id}
              checked={isShown}
              onChange={(isWanted) => choose({ ...visible, [id]: isWanted })}
            >
              {label}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

export function ButtonToCsv({ filter }: { filter: ReturnType<typeof filterOf> }) {
  return (
    <Button variant="default" component="a" href={addressOf('exportDevices', { query: filter })} download>
      CSV
    </Button>
  );
}

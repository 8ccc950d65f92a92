// Where notifications go: webhooks, Slack channels, mailboxes; whether they arrive; a test.
import { Button, Group, Stack, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { Dialog } from '../components/dialog.tsx';
import { odetteLine } from '../odette-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { CopyValue } from '../components/copy-value.tsx';
import { StateBadge } from '../components/issued-list.tsx';
import { ListTable } from '../components/list-table.tsx';
import { Moment } from '../components/moment.tsx';
import { Empty, Loaded } from '../components/page.tsx';
import { plural } from '../labels.ts';
import { useApiQuery, useChange } from '../queries.ts';
import { KIND_LABELS, type Target } from './notification-kinds.ts';
import { TargetDialog } from './notification-target.tsx';
import { TestDialog } from './notification-test.tsx';

type Doing =
  { readonly what: 'add' } | { readonly what: 'change' | 'delete' | 'test'; readonly target: Target };

export function Notifications() {
  // Deliveries change without an event of their own.
  const query = useApiQuery('listNotificationTargets', {}, { everyMs: 10_000 });
  const [doing, setDoing] = useState<Doing>();
  const [signingKey, setSigningKey] = useState<string>();
  const close = () => setDoing(undefined);
  const saved = (key: string | null) => {
    close();
    setSigningKey(key ?? undefined);
  };
  return (
    <Stack>
      <Text size="sm" maw="46rem">
        Odette notifies these targets about what needs you: alarms, and causes that devices share. It retries
        for a day.
      </Text>
      <Group>
        <Button size="xs" onClick={() => setDoing({ what: 'add' })}>
          Add target
        </Button>
      </Group>
      <Loaded query={query} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No notifications yet">
              Add a webhook, a Slack channel or mailboxes so that nobody has to watch the console.
            </Empty>
          ) : (
            <TargetTable targets={items} start={setDoing} />
          )
        }
      </Loaded>
      {doing?.what === 'add' && <TargetDialog target={undefined} close={close} saved={saved} />}
      {doing?.what === 'change' && <TargetDialog target={doing.target} close={close} saved={saved} />}
      {doing?.what === 'test' && <TestDialog target={doing.target} close={close} />}
      {doing?.what === 'delete' && <DeleteDialog target={doing.target} close={close} />}
      <Dialog
        opened={signingKey !== undefined}
        onClose={() => setSigningKey(undefined)}
        title="The signing key of the webhook"
      >
        <Stack>
          <CopyValue label="Signing key" value={signingKey ?? ''} />
          <Text size="sm">
            Copy it now: Odette does not show it again. The receiver verifies the header webhook-signature
            with it, with any library of Standard Webhooks.
          </Text>
          <Group justify="flex-end">
            <Button onClick={() => setSigningKey(undefined)}>Done</Button>
          </Group>
        </Stack>
      </Dialog>
    </Stack>
  );
}

function TargetTable({ targets, start }: { targets: readonly Target[]; start: (doing: Doing) => void }) {
  return (
    <ListTable
      label="Notification targets"
      heads={['Name', 'Kind', 'Address', 'State', 'Last delivered', 'Actions']}
    >
      {targets.map((target) => (
        <Table.Tr key={target.id}>
          <Table.Td className="break-anywhere">{target.name}</Table.Td>
          <Table.Td>{KIND_LABELS[target.kind]}</Table.Td>
          <Table.Td className="break-anywhere">
            {target.email === null ? target.address : target.email.to.join(', ')}
          </Table.Td>
          <Table.Td>
            <State target={target} />
          </Table.Td>
          <Table.Td>
            <Moment at={target.deliveredAt} none="Never" />
          </Table.Td>
          <Table.Td>
            <Group gap="xs" wrap="nowrap">
              {(['test', 'change', 'delete'] as const).map((what) => (
                <Button
                  key={what}
                  size="compact-xs"
                  variant="default"
                  onClick={() => start({ what, target })}
                  aria-label={`${ACTIONS[what]} ${target.name}`}
                >
                  {ACTIONS[what]}
                </Button>
              ))}
            </Group>
          </Table.Td>
        </Table.Tr>
      ))}
    </ListTable>
  );
}

const ACTIONS = { test: 'Test', change: 'Change', delete: 'Delete' } as const;

function State({ target: { isOn, failure, failureDetail, waiting } }: { target: Target }) {
  return (
    <Stack gap={2} align="flex-start">
      {!isOn ? (
        <StateBadge label="Off" color="gray" />
      ) : failure === null ? (
        <StateBadge label="On" color="green" />
      ) : (
        <StateBadge label="Not delivered" color="red" />
      )}
      {failure !== null && (
        <Text size="xs" className="break-anywhere">
          {failure.title} {failureDetail}
        </Text>
      )}
      {waiting > 0 && <Text size="xs">{plural(waiting, 'notification')} not delivered yet</Text>}
    </Stack>
  );
}

function DeleteDialog({ target, close }: { target: Target; close: () => void }) {
  const change = useChange('deleteNotificationTarget', ['listNotificationTargets', 'getStatus'], close);
  return (
    <ConfirmDialog
      opened
      close={close}
      title={`Delete ${target.name}?`}
      confirmLabel="Delete"
      isDangerous
      confirm={() => change.mutate({ params: { id: target.id } })}
      isBusy={change.isPending}
      error={change.error}
      command={odetteLine(['notification', 'delete', target.name])}
    >
      <Text>
        Odette no longer sends anything there and discards undelivered notifications. You cannot undo this.
      </Text>
    </ConfirmDialog>
  );
}

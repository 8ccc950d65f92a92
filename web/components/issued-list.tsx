// A list of what is made here, shown once and can be revoked: enrollment codes, API tokens.
import { Alert, Badge, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { CopyValue } from './copy-value.tsx';
import { Dialog } from './dialog.tsx';
import { QrCode } from './qr-code.tsx';
import { Empty, Loaded } from './page.tsx';
import { ListTable } from './list-table.tsx';

export interface Column<Item> {
  readonly label: string;
  readonly cell: (item: Item) => ReactNode;
}

/** What is shown this once, under a heading and with a word on what to do with it. */
export interface ShownOnce {
  readonly title: string;
  readonly values: readonly { readonly label: string; readonly value: string }[];
  /** A link that another device opens by its camera. */
  readonly link?: string;
  readonly advice: string;
}

interface Revoking {
  readonly title: string;
  readonly consequence: string;
  readonly command: string;
  readonly revoke: () => void;
  readonly isBusy: boolean;
  readonly error: unknown;
}

interface IssuedListProps<Item extends { readonly id: string }> {
  readonly query: {
    readonly data: { readonly items: readonly Item[] } | undefined;
    readonly error: unknown;
    readonly isRefetchError: boolean;
  };
  readonly label: string;
  readonly makeLabel: string;
  readonly empty: { readonly title: string; readonly text: string };
  readonly columns: readonly Column<Item>[];
  /** What the button of this item is called; undefined: it cannot be revoked any more. */
  readonly revokeLabel: (item: Item) => string | undefined;
  readonly makeDialog: (props: { close: () => void; made: (shown: ShownOnce) => void }) => ReactNode;
  readonly revokeDialog: (item: Item, close: () => void) => ReactNode;
}

export function IssuedList<Item extends { readonly id: string }>(props: IssuedListProps<Item>) {
  const { query, label, makeLabel, empty, columns, revokeLabel, makeDialog, revokeDialog } = props;
  const [isMaking, setMaking] = useState(false);
  const [shown, setShown] = useState<ShownOnce>();
  const [revoking, setRevoking] = useState<Item>();
  return (
    <Stack>
      <Group>
        <Button size="xs" onClick={() => setMaking(true)}>
          {makeLabel}
        </Button>
      </Group>
      <Loaded query={query} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={empty.title}>{empty.text}</Empty>
          ) : (
            <ListTable label={label} heads={[...columns.map((column) => column.label), 'Action']}>
              {items.map((item) => (
                <Table.Tr key={item.id}>
                  {columns.map((column) => (
                    <Table.Td key={column.label} className="break-anywhere">
                      {column.cell(item)}
                    </Table.Td>
                  ))}
                  <Table.Td>
                    <RevokeButton label={revokeLabel(item)} revoke={() => setRevoking(item)} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </ListTable>
          )
        }
      </Loaded>
      {isMaking &&
        makeDialog({
          close: () => setMaking(false),
          made: (once) => {
            setMaking(false);
            setShown(once);
          },
        })}
      <Dialog opened={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.title ?? ''}>
        {shown && <ShownOnceText shown={shown} close={() => setShown(undefined)} />}
      </Dialog>
      {revoking && revokeDialog(revoking, () => setRevoking(undefined))}
    </Stack>
  );
}

function RevokeButton({ label, revoke }: { label: string | undefined; revoke: () => void }) {
  if (label === undefined) return null;
  return (
    <Button size="compact-xs" variant="default" onClick={revoke} aria-label={label}>
      Revoke
    </Button>
  );
}

function ShownOnceText({ shown, close }: { shown: ShownOnce; close: () => void }) {
  return (
    <Stack>
      <Alert color="yellow" title="Shown this once">
        Copy it to a safe place now. Odette does not show it again.
      </Alert>
      {shown.values.map(({ label, value }) => (
        <CopyValue key={label} label={label} value={value} />
      ))}
      {shown.link !== undefined && <QrCode text={shown.link} label="QR code of the link" />}
      <Text size="sm">{shown.advice}</Text>
      <Group justify="flex-end">
        <Button onClick={close}>Done</Button>
      </Group>
    </Stack>
  );
}

export function RevokeDialog({ close, ...revoking }: Revoking & { close: () => void }) {
  return (
    <ConfirmDialog
      opened
      close={close}
      title={revoking.title}
      confirmLabel="Revoke"
      isDangerous
      confirm={revoking.revoke}
      isBusy={revoking.isBusy}
      error={revoking.error}
      command={revoking.command}
    >
      <Text>{revoking.consequence}</Text>
    </ConfirmDialog>
  );
}

export function StateBadge({ label, color }: { label: string; color: string }) {
  return (
    <Badge variant="light" color={color} tt="none">
      {label}
    </Badge>
  );
}

// Naming the users of many devices: a CSV is checked first, and what it changes is said before it does.
import { List, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../client.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { FileField } from '../components/file-field.tsx';
import { plural } from '../labels.ts';
import { odetteLine } from '../odette-line.ts';

export function UsersDialog({ opened, close }: { opened: boolean; close: () => void }) {
  const [csv, setCsv] = useState<string>();
  const client = useQueryClient();
  const check = useMutation({
    mutationFn: (text: string) => call('setDeviceUsers', { body: { csv: text, preview: true } }),
  });
  const change = useMutation({
    mutationFn: (text: string) => call('setDeviceUsers', { body: { csv: text } }),
    onSuccess: async ({ changed }) => {
      notifications.show({ message: `Users of ${plural(changed, 'device')} set.`, color: 'green' });
      close();
      await client.invalidateQueries();
    },
  });
  const found = check.data;
  return (
    <ConfirmDialog
      opened={opened}
      close={close}
      title="Set users from CSV"
      confirmLabel={found ? `Set ${plural(found.changed, 'user')}` : 'Set users'}
      confirm={() => csv !== undefined && change.mutate(csv)}
      isBusy={change.isPending}
      isOff={found === undefined || found.changed === 0}
      error={check.error ?? change.error}
      command={odetteLine(['device', 'set-users', 'FILE'])}
    >
      <Stack gap="xs">
        <List size="sm">
          <List.Item>
            The first line names the columns: <b>id</b>, <b>udid</b> or <b>serialNumber</b>, and <b>user</b>,
            the login in Okta.
          </List.Item>
          <List.Item>
            Odette ignores other columns, so you can edit the list that “CSV” downloads and upload it here.
          </List.Item>
          <List.Item>A line without a user changes nothing. Odette applies all lines, or none.</List.Item>
        </List>
        <FileField
          label="File"
          description="CSV, at most 2,000 devices"
          accept=".csv,.tsv,.txt"
          choose={(file) => {
            check.reset();
            setCsv(undefined);
            void file?.text().then((text) => {
              setCsv(text);
              check.mutate(text);
            });
          }}
        />
        {found && (
          <Text size="sm" role="status">
            The user of {plural(found.changed, 'device')} changes; {found.unchanged} stay as they are.
          </Text>
        )}
      </Stack>
    </ConfirmDialog>
  );
}

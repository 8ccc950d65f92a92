// The users who have to sign in once, and a message to send them.
import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { CopyIconButton } from '../components/copy-value.tsx';
import { CommandLine } from '../components/command-line.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { curlLine } from '../curl-line.ts';
import { useApiQuery } from '../queries.ts';
import { plural } from '../labels.ts';

const MESSAGE = `Hello,

your device is ready for signing in to Okta without a password. Please do this once:

1. Open any app that you reach through Okta, on the device itself, in Safari or the app.
2. At the sign-in page choose "Sign in with Okta FastPass".
3. Allow Okta Verify to use Touch ID or Face ID.

From then on the device counts as trusted. Thank you!`;

const GIVEN = { query: { bucket: ['needs_user' as const], limit: 500, sort: 'user' as const } };

export function WaitingDialog({ opened, close }: { opened: boolean; close: () => void }) {
  const query = useApiQuery('listDevices', GIVEN, { enabled: opened });
  return (
    <Dialog opened={opened} onClose={close} title="Waiting for the first FastPass sign-in">
      <Loaded query={query}>
        {({ items, next }) => {
          const users = [...new Set(items.flatMap(({ user }) => (user === null ? [] : [user])))];
          const nameless = items.filter(({ user }) => user === null).length;
          return (
            <Stack>
              <Text>
                {plural(items.length, 'device')} {next === null ? '' : '(the first 500) '}of{' '}
                {plural(users.length, 'user')}
                {nameless > 0 ? `; ${nameless} without a known user` : ''}.
              </Text>
              <Group align="flex-start" wrap="nowrap">
                <Textarea
                  label="Users"
                  readOnly
                  autosize
                  minRows={2}
                  maxRows={6}
                  flex={1}
                  value={users.join('\n')}
                />
                <CopyIconButton value={users.join('\n')} what="users" />
              </Group>
              <Group align="flex-start" wrap="nowrap">
                <Textarea label="Message" readOnly autosize flex={1} value={MESSAGE} />
                <CopyIconButton value={MESSAGE} what="message" />
              </Group>
              <CommandLine command={curlLine('listDevices', GIVEN)} />
              <Group justify="flex-end">
                <Button onClick={close}>Close</Button>
              </Group>
            </Stack>
          );
        }}
      </Loaded>
    </Dialog>
  );
}

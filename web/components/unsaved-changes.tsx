// Asks before a page with unsaved changes is left, also when the window is closed.
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';

export function UnsavedChanges({ isDirty }: { isDirty: boolean }) {
  const leaving = useBlocker({
    // A change of the same page's address (a tab, an item that was just saved) leaves nothing.
    shouldBlockFn: ({ current, next }) => isDirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  });
  if (leaving.status !== 'blocked') return null;
  return (
    <Modal opened onClose={leaving.reset} title="Leave without saving?">
      <Stack>
        <Text>Your changes on this page are not saved. If you leave, they are lost.</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={leaving.reset}>
            Stay on this page
          </Button>
          <Button color="red.9" onClick={leaving.proceed}>
            Leave without saving
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

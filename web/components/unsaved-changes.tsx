// Asks before unsaved changes are left: for another page, for something else on the same page, or when the window is closed.
import { Button, Group, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { Dialog } from './dialog.tsx';

export function UnsavedChanges({
  isDirty,
  isShownAt,
}: {
  readonly isDirty: boolean;
  /** Whether the page shows the same thing when its address ends with this search. */
  readonly isShownAt: (search: object) => boolean;
}) {
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isDirty && (current.pathname !== next.pathname || !isShownAt(next.search)),
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  });
  if (leaving.status !== 'blocked') return null;
  return (
    <Dialog opened onClose={leaving.reset} title="Leave without saving?">
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
    </Dialog>
  );
}

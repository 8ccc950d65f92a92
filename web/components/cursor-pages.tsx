// First page and next page of a list that is read by cursor.
import { Button, Group } from '@mantine/core';

export function CursorPages({
  after,
  next,
  go,
}: {
  after: string | undefined;
  next: string | null;
  go: (after: string | undefined) => void;
}) {
  if (next === null && after === undefined) return null;
  return (
    <Group mt="sm" component="nav" aria-label="Pages">
      <Button size="xs" variant="default" disabled={after === undefined} onClick={() => go(undefined)}>
        First page
      </Button>
      <Button size="xs" variant="default" disabled={next === null} onClick={() => go(next ?? undefined)}>
        Next
      </Button>
    </Group>
  );
}

// The way into search everywhere: a button in the header, and Cmd-K or Ctrl-K on every page. The dialog is loaded when it is first wanted.
import { ActionIcon, Button, Kbd } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { lazy, Suspense } from 'react';
import { SearchIcon } from '../components/icons.tsx';

const SearchDialog = lazy(() => import('./search-dialog.tsx'));

const KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K';

export function SearchButton() {
  const [isOpen, dialog] = useDisclosure(false);
  // In a field too: whoever types there wants to get on as well.
  useHotkeys([['mod+K', dialog.open]], []);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        visibleFrom="sm"
        leftSection={<SearchIcon />}
        rightSection={<Kbd size="xs">{KEY}</Kbd>}
        aria-keyshortcuts="Meta+K Control+K"
        onClick={dialog.open}
      >
        Search
      </Button>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        hiddenFrom="sm"
        aria-label="Search everywhere"
        onClick={dialog.open}
      >
        <SearchIcon />
      </ActionIcon>
      {isOpen && (
        <Suspense>
          <SearchDialog close={dialog.close} />
        </Suspense>
      )}
    </>
  );
}

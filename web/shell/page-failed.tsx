// A page that could not be shown: its code did not load (the API restarts, or a newer console was installed), or it failed.
import { Alert, Button, Stack, Text } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Page } from '../components/page.tsx';

const AGAIN_MS = 5_000;

/** The console's own server answers: what could not be loaded is there, under its old name or a new one. */
const isThere = (): Promise<boolean> =>
  fetch('/readyz', { cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  );

/** A module that failed to load stays failed until the whole page is loaded anew. */
async function loadAnew(): Promise<void> {
  if (await isThere()) window.location.reload();
}

export function PageFailed({ error: thrown }: { error: unknown }) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const router = useRouter();
  const isCode = /dynamically imported module|module script|preload|Failed to fetch/i.test(error.message);
  const [isTrying, setTrying] = useState(false);
  useEffect(() => {
    if (!isCode) return;
    const timer = setInterval(() => void loadAnew(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [isCode]);
  const again = async () => {
    setTrying(true);
    await (isCode ? loadAnew() : router.invalidate());
    setTrying(false);
  };
  return (
    <Page title={isCode ? 'This page could not be loaded' : 'This page failed'}>
      <Alert color="yellow" title={isCode ? 'Odette does not respond' : 'Internal error'}>
        <Stack gap="sm" align="flex-start">
          <Text size="sm">
            {isCode
              ? 'No data is lost. The console retries automatically and loads the page as soon as Odette responds.'
              : error.message}
          </Text>
          <Button size="xs" loading={isTrying} onClick={() => void again()}>
            Try again
          </Button>
        </Stack>
      </Alert>
    </Page>
  );
}

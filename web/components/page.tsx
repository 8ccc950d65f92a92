// The frame of a page: its title (also of the window), what can be done, and what is shown while it loads or when it cannot.
import { Alert, Anchor, Box, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import { Trail, type Crumb } from './trail.tsx';
import { ProblemAlert } from './problem-alert.tsx';

export function Page({
  title,
  above,
  intro,
  help,
  actions,
  children,
}: {
  title: string;
  /** The pages above this one, the highest first. */
  above?: readonly Crumb[] | undefined;
  intro?: ReactNode;
  /** The page of docs/ that says more, and its part: `operations-guide#tls`. */
  help?: string | undefined;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Odette`;
  }, [title]);
  return (
    <Stack className="page" gap="lg">
      {above !== undefined && <Trail above={above} title={title} />}
      <Group justify="space-between" align="flex-start">
        <Box maw="46rem">
          <Title order={1} size="h2" className="break-anywhere">
            {title}
          </Title>
          {intro !== undefined && (
            <Text c="dimmed" mt={4} component="div">
              {intro}
            </Text>
          )}
        </Box>
        {(actions !== undefined || help !== undefined) && (
          <Group gap="sm">
            {help !== undefined && (
              <Anchor
                href={`/help/${help}`}
                target="_blank"
                size="sm"
                aria-label={`Help: ${title}, in a new tab`}
              >
                Help
              </Anchor>
            )}
            {actions}
          </Group>
        )}
      </Group>
      {children}
    </Stack>
  );
}

/** Shows what a query answered; the last answer stays while a new one is on its way or fails. */
export function Loaded<Data>({
  query,
  children,
  lines = 4,
}: {
  query: { readonly data: Data | undefined; readonly error: unknown; readonly isRefetchError: boolean };
  children: (data: Data) => ReactNode;
  lines?: number;
}) {
  if (query.data !== undefined)
    return (
      <>
        {query.isRefetchError && (
          <Alert color="yellow" title="This page may be out of date">
            Odette did not respond. This page retries automatically.
          </Alert>
        )}
        {children(query.data)}
      </>
    );
  if (query.error) return <ProblemAlert error={query.error} />;
  return (
    <Stack gap="sm" role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_unused, line) => (
        <Skeleton key={line} height={20} width={line === lines - 1 ? '60%' : '100%'} />
      ))}
    </Stack>
  );
}

/** Nothing here yet: what to do first. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md">
      <Text fw={600} size="lg" ta="center">
        {title}
      </Text>
      <Text c="dimmed" ta="center" maw="34rem" component="div">
        {children}
      </Text>
      {action !== undefined && <Box mt="xs">{action}</Box>}
    </Stack>
  );
}

// This installation: version, parts and addresses.
import { Anchor, Badge, List, Paper, Stack, Text, Title } from '@mantine/core';
import { CopyValue } from '../components/copy-value.tsx';
import { Loaded } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';

const PARTS = { database: 'Database', temporal: 'Temporal', worker: 'Worker' } as const;

export function About() {
  const query = useApiQuery('getStatus', {});
  return (
    <Loaded query={query}>
      {({ version, parts, addresses }) => (
        <Stack maw="46rem">
          <Paper withBorder p="md">
            <Title order={2} size="h4">
              Odette {version}
            </Title>
            <List size="sm" mt="xs" listStyleType="none">
              {(Object.keys(PARTS) as (keyof typeof PARTS)[]).map((part) => (
                <List.Item key={part}>
                  {PARTS[part]}{' '}
                  <Badge variant="light" color={parts[part] ? 'green' : 'red'} tt="none">
                    {parts[part] ? 'Responding' : 'Not responding'}
                  </Badge>
                </List.Item>
              ))}
            </List>
            <Stack mt="sm" gap="xs">
              {addresses.publicUrl !== null && (
                <CopyValue label="Address for devices" value={addresses.publicUrl} />
              )}
              {addresses.enrollmentLink !== null && (
                <CopyValue label="Enrollment link" value={addresses.enrollmentLink} />
              )}
              {addresses.temporalUi !== null && (
                <Anchor
                  href={`${addresses.temporalUi}/odette/workflows`}
                  target="_blank"
                  rel="noreferrer noopener"
                >
                  Temporal UI
                </Anchor>
              )}
              <Anchor href="/help/" target="_blank">
                Documentation
              </Anchor>
              <Anchor href="/openapi.json" target="_blank" rel="noreferrer noopener">
                API description (OpenAPI)
              </Anchor>
            </Stack>
          </Paper>
          <Text size="sm" c="dimmed">
            Open source under Apache-2.0.
          </Text>
        </Stack>
      )}
    </Loaded>
  );
}

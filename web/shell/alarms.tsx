// What will break the whole fleet: cannot be dismissed, only fixed.
import { Alert, Group, Stack, Text } from '@mantine/core';
import { AnchorLink } from '../components/links.tsx';
import { Moment } from '../components/moment.tsx';
import { useApiQuery } from '../queries.ts';
import { ROTATION_LABELS, ToRotation } from '../rotations/to-rotation.tsx';
import { useMay } from './session.ts';
import { Remedy } from '../components/remedy.tsx';

const PLACES = [
  { start: 'apns.', to: '/settings', search: { tab: 'push' }, label: 'Go to the push certificate' },
  {
    start: 'apps_and_books.',
    to: '/settings',
    search: { tab: 'licenses' },
    label: 'Go to the Apps and Books token',
  },
  {
    start: 'notify.',
    to: '/settings',
    search: { tab: 'notifications' },
    label: 'Go to notifications',
  },
  { start: 'okta.', to: '/integrations', search: {}, label: 'Go to integrations' },
] as const;

export function Alarms() {
  const { data, error } = useApiQuery('getStatus', {}, { everyMs: 20_000 });
  const isAdmin = useMay('admin');
  if (!data) return null;
  const down = Object.entries(data.parts)
    .filter(([, isUp]) => !isUp)
    .map(
      ([name]) => ({ database: 'the database', temporal: 'Temporal', worker: 'the worker' })[name] ?? name,
    );
  if (data.alarms.length === 0 && down.length === 0 && !error) return null;
  return (
    <Stack className="page" gap="xs" mb="md">
      {(down.length > 0 || error) && (
        <Alert
          color="yellow"
          role="alert"
          title={`No response from ${error ? 'Odette' : down.join(' and ')}`}
        >
          No data is lost. Rollouts continue when it is back.
        </Alert>
      )}
      {data.alarms.map(({ failure, text, since, rotation }) => {
        const place = PLACES.find(({ start }) => failure.code.startsWith(start));
        return (
          <Alert key={`${failure.code} ${text}`} color="red" role="alert" title={text || failure.title}>
            <Text size="sm">
              <Remedy text={failure.remedy} />
            </Text>
            {since !== null && (
              <Text size="sm">
                Since <Moment at={since} isDated />
              </Text>
            )}
            <Group gap="md">
              {rotation !== null && isAdmin && (
                <ToRotation integrationId={rotation.integrationId} label={ROTATION_LABELS[rotation.secret]} />
              )}
              {place && (
                <AnchorLink to={place.to} search={place.search} size="sm">
                  {place.label}
                </AnchorLink>
              )}
            </Group>
          </Alert>
        );
      })}
    </Stack>
  );
}

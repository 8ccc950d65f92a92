// After the test: once the devices of the assigned blueprints are delivered, the other blueprints are offered.
import { Alert, Button, Group, Text } from '@mantine/core';
import { useApiQuery } from '../queries.ts';
import { plural } from '../labels.ts';
import type { Item } from './item-draft.ts';

export function RemainingBlueprints({
  item,
  assign,
}: {
  item: Item;
  assign: (blueprintIds: string[]) => void;
}) {
  const { data } = useApiQuery('listBlueprints', {});
  const others =
    data?.items.filter(({ libraryItemId, devices }) => libraryItemId === null && devices > 0) ?? [];
  const assigned = item.blueprints.map(({ id }) => id);
  if (!item.deviceTrustOn || assigned.length === 0 || others.length === 0) return null;
  const { trusted, needs_user: waiting, in_progress: inProgress, needs_you: failed } = item.buckets;
  const delivered = trusted + waiting;
  const names = item.blueprints.map(({ name }) => name).join(', ');
  const devices = plural(
    others.reduce((sum, one) => sum + one.devices, 0),
    'device',
  );
  const rest =
    others.length === 1 ? `other blueprint (${devices})` : `${others.length} other blueprints (${devices})`;
  if (delivered === 0 || inProgress + failed > 0)
    return (
      <Alert color="gray" title={`First ${names}`}>
        After Odette has delivered to every device there, you can continue here with the {rest}.
        {failed > 0 && ` ${plural(failed, 'device')} failed.`}
      </Alert>
    );
  return (
    <Alert color="green" title={`Delivered to ${plural(delivered, 'device')} of ${names}`}>
      <Text size="sm" className="break-anywhere">
        Not assigned yet: {others.map(({ name }) => name).join(', ')}.
      </Text>
      <Group mt="xs">
        <Button
          size="xs"
          color="green.9"
          onClick={() => assign([...assigned, ...others.map(({ id }) => id)])}
        >
          Continue with the {rest}
        </Button>
      </Group>
    </Alert>
  );
}

// How a change will reach its devices, said before it is made.
import { Text } from '@mantine/core';
import type { ResponseOf } from '../queries.ts';
import { countText, plural } from '../labels.ts';

type Waves = ResponseOf<'previewLibraryItem'>['waves'];

export function WavesText({ waves: { devices, pushes, waves, canaryBlueprint, minutes } }: { waves: Waves }) {
  if (devices === 0) return null;
  const [canary = 0] = waves;
  const cost = `At least ${plural(pushes, 'push', 'pushes')}; about ${plural(Math.max(1, minutes), 'minute')} if the devices are awake.`;
  if (waves.length === 1) return <Text size="sm">All at once. {cost}</Text>;
  return (
    <Text size="sm">
      In {waves.length} waves ({waves.map(countText).join(', ')}): first {plural(canary, 'device')}{' '}
      {canaryBlueprint === null ? 'that checked in last' : `of “${canaryBlueprint}”`}, then the others. Odette
      halts the change when devices fail or lose trust; you can pause it, send it to all at once, or abort it.{' '}
      {cost}
    </Text>
  );
}

// One request takes so many devices at most: what a dialog says of those that it leaves for the next one.
import { Text } from '@mantine/core';
import { countText } from '../labels.ts';

interface Portion {
  /** Of this portion. */
  readonly devices: number;
  /** Where the one after it begins; null: there is none. */
  readonly next: string | null;
}

export function PortionNote({ portion, isFirst }: { portion: Portion; isFirst: boolean }) {
  const words = portionText(portion, isFirst);
  return words === undefined ? null : <Text fw={600}>{words}</Text>;
}

function portionText({ devices, next }: Portion, isFirst: boolean): string | undefined {
  const count = countText(devices);
  if (next === null) return isFirst || devices === 0 ? undefined : `These are the last ${count}.`;
  return isFirst
    ? `These are the first ${count}. This dialog continues with the rest afterwards.`
    : `These are the next ${count}. More follow.`;
}

// Keys for pretend devices, made beforehand: a measurement must not measure the making of keys.
import type { World } from './world.ts';

/** A machine that does other things makes so many within the minutes that a response is waited for. */
const PORTION = 50;
const MAX_KEYS = 1_000;

export async function fillKeyPool(world: World, wanted: number): Promise<void> {
  const keys = Math.min(wanted, MAX_KEYS);
  for (let filled = 0; filled < keys; filled += PORTION)
    await world.manage('POST', '/key-pool', { keys: Math.min(keys, filled + PORTION) });
}

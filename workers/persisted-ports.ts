// The ports of an installation: chosen free at the first start and kept, so that addresses that devices know never move.
import { readFile, writeFile } from 'node:fs/promises';
import { freePortFrom, isFree } from './free-port.ts';

export interface WantedPort {
  readonly name: string;
  readonly wanted: number;
  /** Somebody outside keeps this address (a device, a tenant's record): if it is taken the start is refused. */
  readonly isFixed: boolean;
}

/** @throws Error one sentence naming the fixed port that another program has taken */
export async function persistedPorts(
  file: string,
  wanted: readonly WantedPort[],
): Promise<Record<string, number>> {
  const persisted = await readPorts(file);
  const taken = new Set<number>();
  for (const { name, wanted: first, isFixed } of wanted) {
    const known = persisted[name];
    if (known !== undefined && !taken.has(known) && (await isFree(known))) {
      taken.add(known);
      continue;
    }
    if (known !== undefined && isFixed)
      throw new Error(
        `Port ${known} (${name}) is taken by another program, and cannot move: what is enrolled knows this address. Free it and start again.`,
      );
    let port = await freePortFrom(known ?? first);
    while (taken.has(port)) port = await freePortFrom(port + 1);
    taken.add(port);
    persisted[name] = port;
  }
  await writeFile(file, `${JSON.stringify(persisted, null, 2)}\n`);
  return persisted;
}

async function readPorts(file: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

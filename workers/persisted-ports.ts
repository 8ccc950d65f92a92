// The ports of an installation: chosen free at the first start and kept, so that addresses that devices know never move.
import { readFile, writeFile } from 'node:fs/promises';
import { freePortFrom, isFree } from './free-port.ts';

export interface WantedPort {
  readonly name: string;
  readonly wanted: number;
  /** Somebody outside keeps this address (a device, a tenant's record): if it is taken the start is refused. */
  readonly isFixed: boolean;
  /** By a setting: this port and no other. */
  readonly demanded?: { readonly port: number; readonly variable: string };
}

/** @throws Error naming the port that another program has taken, or the setting that would move a fixed one */
export async function persistedPorts(
  file: string,
  wanted: readonly WantedPort[],
): Promise<Record<string, number>> {
  const persisted = await readPorts(file);
  const taken = new Set<number>();
  for (const { name, wanted: first, isFixed, demanded } of wanted) {
    const known = persisted[name];
    if (demanded) {
      await checkDemanded(demanded, known);
      taken.add(demanded.port);
      persisted[name] = demanded.port;
      continue;
    }
    if (known !== undefined && !taken.has(known) && (await isFree(known))) {
      taken.add(known);
      continue;
    }
    if (known !== undefined && isFixed)
      throw new Error(
        `Port ${known} (${name}) is in use by another program, and Odette cannot move: enrolled devices know this address. Free the port and start again.`,
      );
    let port = await freePortFrom(known ?? first);
    while (taken.has(port)) port = await freePortFrom(port + 1);
    taken.add(port);
    persisted[name] = port;
  }
  await writeFile(file, `${JSON.stringify(persisted, null, 2)}\n`);
  return persisted;
}

async function checkDemanded(
  { port, variable }: NonNullable<WantedPort['demanded']>,
  known: number | undefined,
): Promise<void> {
  if (known !== undefined && known !== port)
    throw new Error(
      `${variable} is ${port}, but this installation uses port ${known}, and enrolled devices know that address. Unset ${variable}, or start with another ODETTE_DATA_DIR.`,
    );
  if (!(await isFree(port)))
    throw new Error(
      `Port ${port} (${variable}) is in use by another program. Free the port and start again.`,
    );
}

async function readPorts(file: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

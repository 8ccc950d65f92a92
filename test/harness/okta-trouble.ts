// A world whose Okta is in trouble: more workers than one, what the pretend tenant was asked, and parts that are killed at random.
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { JournaledRequest } from '../../sandbox/okta/request-journal.ts';
import { startNodeProcess } from '../../workers/node-process.ts';
import type { PartName, World } from './world.ts';

/** Workers beside the world's own, as processes. Returns how to end them. */
export async function startWorkers(world: World, count: number): Promise<() => Promise<void>> {
  const [host = '127.0.0.1', port = '0'] = (world.environment['ODETTE_WORKER_LISTEN'] ?? '').split(':');
  const workers = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      startNodeProcess({
        name: `worker-${index + 2}`,
        program: 'workers/worker',
        folder: world.folder,
        environment: {
          ...world.environment,
          ODETTE_WORKER_LISTEN: `${host}:${Number(port) + 20_000 + index}`,
        },
      }),
    ),
  );
  return async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
}

export const requestsOf = (world: World, sinceMs = 0): Promise<JournaledRequest[]> =>
  world.manage<JournaledRequest[]>('GET', `/tenants/one/requests?since=${sinceMs}`);

/** The most of these that were under way at one moment. */
export function mostAtOnce(requests: readonly JournaledRequest[]): number {
  const edges = requests
    .flatMap(({ beganAtMs, endedAtMs }) => [
      { at: beganAtMs, by: 1 },
      { at: endedAtMs, by: -1 },
    ])
    // One that ends in the millisecond in which another begins is not beside it.
    .sort((one, other) => one.at - other.at || one.by - other.by);
  let [underWay, most] = [0, 0];
  for (const { by } of edges) {
    underWay += by;
    most = Math.max(most, underWay);
  }
  return most;
}

/**
 * Kills one of the parts after the other, in random order and at random moments, and starts it again: each of them once, and on until it
 * is told to stop.
 */
export function killAtRandom(
  world: World,
  parts: readonly PartName[],
  betweenMs: readonly [least: number, most: number],
): () => Promise<readonly PartName[]> {
  const killed: PartName[] = [];
  let isOver = false;
  const order = [...parts];
  for (let place = order.length - 1; place > 0; place -= 1) {
    const other = randomInt(place + 1);
    [order[place], order[other]] = [order[other] as PartName, order[place] as PartName];
  }
  const running = (async () => {
    for (let turn = 0; ; turn += 1) {
      await pause(randomInt(...betweenMs));
      const part = order[turn % order.length];
      if ((isOver && turn >= order.length) || part === undefined) return;
      killed.push(part);
      await world.kill(part);
      await world.start(part);
    }
  })();
  return async () => {
    isOver = true;
    await running;
    return killed;
  };
}

// Lives of devices, made from a seed: at the end of each, Odette shows what is true in the sandbox. `npm run test:lives` lives a thousand.
import { Client, Connection } from '@temporalio/client';
import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { setUpTrust } from '../harness/stage.ts';
import { BesideTheTest } from '../harness/time-skipping.ts';
import { startWorld } from '../harness/world.ts';
import { AtWork } from './at-work.ts';
import { life, type Life } from './life.ts';
import { Live, type LivesWorld } from './live.ts';
import { PretendOkta } from './pretend-okta.ts';

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const LIVES = number('LIVES', 8);
const TOGETHER = number('LIVES_TOGETHER', 8);
const SEED = number('LIVES_SEED', 20_261_125);
/** One life as a failed run printed it: lived alone, again. */
const ONE = process.env['LIVES_ONE'];
/** A life takes half a minute, and as long again when it shows a fault; many times that on a machine with much else to do. */
const TIMEOUT_MS = 600_000 + LIVES * 30_000;
const SHRINK_MS = number('LIVES_SHRINK_SECONDS', 120) * 1000;

let worlds: LivesWorld;
let connection: Connection;
let database: Database;
beforeAll(async () => {
  const world = await startWorld({
    temporalConfig: {
      'frontend.WorkflowTimeSkippingEnabled': 'true',
      'frontend.WorkflowTimeSkippingMaxSkipPerSession': '100000',
    },
  });
  const trusted = await setUpTrust(world);
  connection = await Connection.connect({ address: world.temporalAddress });
  database = connectDatabase(world.databaseUrl, { max: 4 });
  const okta = new PretendOkta(world, new Client({ connection }), database, trusted.integrationId);
  const work = new AtWork(database, connection);
  worlds = { world, trusted, skips: new BesideTheTest(connection), okta, work };
  await world.manage('PATCH', '/tenants/one/knobs', { rateLimits: { apiPerMinute: 100_000 } });
  await world.manage('PATCH', '/apps-and-books/assets/490179405', { total: 100_000 });
}, 480_000);
afterAll(async () => {
  await worlds?.skips.end();
  await connection?.close();
  await database?.end();
  await worlds?.world.stop();
});

const liveOne = (one: Life): Promise<void> => new Live(worlds, one).live();

test(
  `${LIVES} lives: at the end of each, Odette shows what is true`,
  async () => {
    const waiting =
      ONE === undefined ? fc.sample(life, { numRuns: LIVES, seed: SEED }) : [JSON.parse(ONE) as Life];
    const failed: { readonly one: Life; readonly error: unknown }[] = [];
    const began = performance.now();
    let ended = 0;
    const liveNext = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        await liveOne(one).catch((error: unknown) => {
          failed.push({ one, error });
          if (LIVES > 10) console.log(`${JSON.stringify(one)}\n${String(error)}`);
        });
        ended += 1;
        if (ended % 50 === 0)
          console.log(
            `${ended} lives, ${Math.round((performance.now() - began) / 1000)} s, ${failed.length} failed`,
          );
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, liveNext));
    const [first] = failed;
    if (first === undefined) return;
    const smaller = await fc.check(fc.asyncProperty(life, liveOne), {
      examples: [[first.one]],
      numRuns: 1,
      interruptAfterTimeLimit: SHRINK_MS,
    });
    const [shortest] = smaller.counterexample ?? [first.one];
    throw new Error(
      `${failed.length} of ${LIVES} lives of seed ${SEED} do not agree; the shortest:\n${JSON.stringify(shortest)}`,
      { cause: smaller.errorInstance ?? first.error },
    );
  },
  TIMEOUT_MS,
);

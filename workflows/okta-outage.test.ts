// Many Macs roll out while Okta refuses half of all requests, and then does not answer at all: what Okta sees of it, and what the Macs do.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';
import { MAX_WINDOW } from '../domain/okta-budget.ts';

quietRuntime();
/** Twice as many as three processes may have at Okta at once. A larger fleet, with workers as processes: `npm run bench:okta-outage`. */
const MACS = 48;
const OUTAGE_MS = 4_000;
const PATIENCE_MS = 60_000 + MACS * 1_000;
const PROCESSES = 3;
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] }, PROCESSES);
});
afterAll(() => world.close());

const proven = async (): Promise<number> => {
  const [row] = await world.database.query<{ count: number }>(
    `select count(*)::int as count from certificate_deliveries where state = 'proven'`,
  );
  return row?.count ?? 0;
};

test(
  'no Mac ends failed, and Okta is asked no more than it allows',
  { timeout: 180_000 + OUTAGE_MS + 3 * PATIENCE_MS },
  async () => {
    const { challenges } = world;
    const { state, counts } = challenges;
    let asked = 0;
    state.refuse = () => {
      asked += 1;
      return asked % 2 === 1 ? 429 : undefined;
    };
    const macs = [];
    for (let made = 0; made < MACS; made += 1) macs.push(await world.newDevice('Mac'));
    await Promise.all(macs.map(({ id }) => world.rollOut(id)));
    await world.until(() => expect(state.fetched).toBeGreaterThanOrEqual(4), 90_000);
    // Those that were under way when the first was refused, and those that took the place of one that was served before the refusal was written: on a
    // machine with nothing else to do there is no such place (npm run bench:okta-outage). After it one at a time.
    const { early, refused } = { ...counts };
    expect(refused).toBeGreaterThanOrEqual(4);
    expect(early).toBeLessThan(2 * MAX_WINDOW);

    state.refuse = () => 503;
    const before = counts.requests;
    await world.until(() => expect(counts.requests).toBeGreaterThan(before), 60_000);
    const began = Date.now();
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    const during = counts.requests - before;
    // One canary after 2, 4, 8, 16, then 30 seconds each, whichever process sends it.
    expect(during).toBeLessThanOrEqual(6 + OUTAGE_MS / 30_000);

    state.refuse = undefined;
    const ended = Date.now();
    await world.until(async () => expect(await proven()).toBe(MACS), PATIENCE_MS);
    console.info(
      `outage of ${ended - began} ms: ${during} requests; all ${MACS} Macs served ${Date.now() - ended} ms after it; ` +
        `${counts.requests} requests in all, ${counts.refused} refused, at most ${counts.mostAtOnce} at once, ${early} early`,
    );
    expect(counts.mostAtOnce).toBeLessThanOrEqual(MAX_WINDOW);
    await Promise.all(macs.map(({ id }) => world.ended(id, PATIENCE_MS)));
    expect(await world.database.query(`select 1 from rollout_runs where outcome = 'failed'`)).toEqual([]);
    expect(await world.database.query('select 1 from okta_waiters')).toEqual([]);
  },
);

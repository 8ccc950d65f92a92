// What processes share of an integration's tenant: who may ask it, its access token, and who waits for it.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CHALLENGE_ENDPOINT,
  MAX_WINDOW,
  type EndpointStore,
  type Lane,
} from '../../../domain/okta-budget.ts';
import { CataloguedError } from '../../../domain/failures.ts';
import { connectIntegration } from '../../../test/harness/connected-integration.ts';
import { recordingDatabase } from '../../../test/harness/recording-database.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { OktaBudget, Turns } from '../../okta/budget.ts';
import { AccessTokenSource } from '../../okta/access-token.ts';
import { KeyRing } from '../../secrets/key-ring.ts';
import { endpointStore, reopenEndpoints, waitForEndpoint, wakeWaiters } from './okta-endpoints.ts';
import { tokenStore } from './okta-tokens.ts';

let test: TestDatabase;
const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
let fleet: Awaited<ReturnType<typeof connectIntegration>>;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await connectIntegration(test.database, sealer, 'localhost', {});
});
afterAll(() => test.drop());
beforeEach(async () => {
  for (const table of ['okta_endpoints', 'okta_tokens', 'okta_waiters', 'outbox', 'devices'])
    await test.database.query(`delete from ${table}`);
});

/** As another process has it. */
const budget = (version = '1') =>
  new OktaBudget(endpointStore(test.database, fleet.integrationId, fleet.phoneSecretId), version);
const refused = (retryAfterMs: number) => () =>
  Promise.reject(new CataloguedError('okta.rate_limited', { retryAfterMs }));

describe('the budget of several processes', () => {
  it('lets a window through at once, in whichever process', async () => {
    const [one, other] = [budget(), budget()];
    let [underWay, most] = [0, 0];
    const request = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 30));
      underWay -= 1;
    };
    const asked = Array.from({ length: 30 }, (_, n) =>
      (n % 2 ? one : other).within('challenge', 'routine', request),
    );
    await Promise.all(asked);
    expect(most).toBeLessThanOrEqual(MAX_WINDOW);
    expect(most).toBeGreaterThan(1);
  });

  it('keeps each of many changes at once', async () => {
    const store = () => endpointStore(test.database, fleet.integrationId, fleet.phoneSecretId);
    const changes = Array.from({ length: 40 }, () =>
      store().change('counted', '1', (state) => ({
        state: { ...state, window: state.window + 1 },
        result: state.window,
      })),
    );
    // Each saw what the one before it left, whoever was sooner.
    expect((await Promise.all(changes)).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 40 }, (_, index) => MAX_WINDOW + index),
    );
    const left = await store().change('counted', '1', (state) => ({ state, result: state.window }));
    expect(left).toBe(MAX_WINDOW + 40);
  });

  it('decides by what another process has changed since, and asks nobody while nobody has', async () => {
    const statements: string[] = [];
    const watched = recordingDatabase(test.database, statements);
    const [mine, other] = [watched, test.database].map((database) =>
      endpointStore(database, fleet.integrationId, fleet.phoneSecretId),
    );
    const oneMore = (store: EndpointStore | undefined) =>
      store?.change('counted', '1', (state) => ({
        state: { ...state, window: state.window + 1 },
        result: state.window,
      }));
    expect(await oneMore(mine)).toBe(MAX_WINDOW);
    statements.length = 0;
    expect(await oneMore(mine)).toBe(MAX_WINDOW + 1);
    expect(statements).toHaveLength(1);
    expect(await oneMore(other)).toBe(MAX_WINDOW + 2);
    expect(await oneMore(mine)).toBe(MAX_WINDOW + 3);
    expect(await oneMore(other)).toBe(MAX_WINDOW + 4);
    // What would write nothing is not decided from memory.
    expect(await mine?.change('counted', '1', (state) => ({ state, result: state.window }))).toBe(
      MAX_WINDOW + 5,
    );
  });

  it('ends an answered request and begins the next one in one statement, and ends the last one by itself', async () => {
    const statements: string[] = [];
    const watched = recordingDatabase(test.database, statements);
    const store = endpointStore(watched, fleet.integrationId, fleet.phoneSecretId);
    const one = new OktaBudget(store, '1');
    for (let request = 1; request <= 3; request += 1)
      await one.within('challenge', 'routine', () => Promise.resolve());
    const writes = () => statements.filter((text) => text.includes('update okta_endpoints'));
    expect(writes()).toHaveLength(3);
    const underWay = async () => {
      const [row] = await test.database.query<{ count: number }>(
        `select jsonb_array_length(state -> 'flights') as count from okta_endpoints`,
      );
      return row?.count;
    };
    await expect.poll(underWay).toBe(0);
    expect(writes()).toHaveLength(4);
  });

  it('writes nothing while it waits for a place, and takes the one that becomes free', async () => {
    let looks = 0;
    const store = endpointStore(test.database, fleet.integrationId, fleet.phoneSecretId);
    const watched = new OktaBudget(
      { ...store, change: (...asked) => store.change(...asked).finally(() => (looks += 1)) },
      '1',
    );
    const ends: (() => void)[] = [];
    const busy = Array.from({ length: MAX_WINDOW }, () =>
      budget().within('challenge', 'routine', () => new Promise<void>((end) => ends.push(end))),
    );
    await expect.poll(() => ends.length).toBe(MAX_WINDOW);
    const version = async () =>
      (
        await test.database.query<{ version: string }>(
          `select format('%s %s', xmin, ctid) as version from okta_endpoints`,
        )
      )[0]?.version;
    let isServed = false;
    const waiting = watched.within('challenge', 'routine', () => Promise.resolve((isServed = true)));
    await expect.poll(() => looks).toBeGreaterThan(0);
    const before = await version();
    await expect.poll(() => looks).toBeGreaterThan(3);
    expect([await version(), isServed]).toEqual([before, false]);
    ends.shift()?.();
    await waiting;
    for (const end of ends) end();
    await Promise.all(busy);
  });

  it('wakes those of its own process when a place becomes free, the longest waiting first', async () => {
    const turns = new Turns();
    const woken: number[] = [];
    const waits = [1, 2, 3].map(async (place) => {
      await turns.untilPlaceFreed('challenge', 60_000);
      woken.push(place);
    });
    for (const _ of waits) {
      turns.placeFreed('challenge');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waits);
    expect(woken).toEqual([1, 2, 3]);
  });

  it('heeds a 429 that another met, until a changed credential or the time that it told', async () => {
    await expect(budget().within('challenge', 'routine', refused(60_000))).rejects.toThrow('rate-limiting');
    let asked = 0;
    const ask = (version: string) =>
      budget(version).within('challenge', 'lockout', () => Promise.resolve((asked += 1)));
    await expect(ask('1')).rejects.toMatchObject({
      code: 'okta.rate_limited',
      retryAfterMs: expect.any(Number),
    });
    expect(asked).toBe(0);
    await ask('2');
    expect(asked).toBe(1);
  });
});

describe('an access token', () => {
  it('is fetched once by all processes, sealed, and not taken for other credentials', async () => {
    const { integrationId } = fleet;
    let fetched = 0;
    const http = {
      send: async () => {
        fetched += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        const token = {
          access_token: `token-${fetched}`,
          token_type: 'Bearer',
          expires_in: 3600,
          scope: 'a b',
        };
        return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(token)) };
      },
    };
    const source = (version = '1') =>
      new AccessTokenSource({
        host: 'acme.okta.com',
        credentials: { kind: 'api_service_integration', clientId: 'c', clientSecret: 's' },
        http: http as never,
        budget: budget(version),
        store: tokenStore(test.database, sealer, integrationId, version),
      });
    const sources = [source(), source(), source()];
    const tokens = await Promise.all(sources.map((each) => each.get()));
    expect(tokens.map(({ value }) => value)).toEqual(['token-1', 'token-1', 'token-1']);
    expect(tokens[2]?.scopes).toEqual(['a', 'b']);
    const [stored] = await test.database.query<{ row: string }>(
      'select okta_tokens::text as row from okta_tokens',
    );
    expect(stored?.row).not.toContain(Buffer.from('token-1').toString('hex'));
    // Refused by Okta: whoever comes next fetches another, for everybody.
    await sources[0]!.drop(tokens[0]!);
    expect((await source().get()).value).toBe('token-2');
    expect((await source('2').get()).value).toBe('token-3');
  });
});

describe('those who wait', () => {
  const wait = async (lane: Lane): Promise<string> => {
    const deviceId = randomUUID();
    await test.database.query(
      `insert into devices (id, family, platform, udid, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
       values ($1, 'Mac', 'macOS', $2, $3, 'enrolled', gen_random_uuid(), $4)`,
      [deviceId, randomUUID(), fleet.blueprintId, randomBytes(32)],
    );
    await waitForEndpoint(test.database, {
      deviceId,
      integrationId: fleet.integrationId,
      endpoint: CHALLENGE_ENDPOINT,
      lane,
    });
    return deviceId;
  };
  const woken = async () =>
    (
      await test.database.query<{ id: string }>(
        `select ordering_key as id from outbox where message ->> 'signal' = 'certificateWanted' order by position`,
      )
    ).map(({ id }) => id);

  it('sleep while the endpoint is closed; of one that is due two are woken, the urgent first', async () => {
    const ids = [await wait('routine'), await wait('enrollment'), await wait('lockout')];
    await expect(budget().within('challenge', 'routine', refused(60_000))).rejects.toThrow();
    expect(await wakeWaiters(test.database)).toBe(0);
    await reopenEndpoints(test.database, fleet.integrationId, CHALLENGE_ENDPOINT);
    expect(await wakeWaiters(test.database)).toBe(2);
    expect((await woken()).sort()).toEqual([ids[1], ids[2]].sort());
  });

  it('are all awake within a minute of calls, a second apart, after it opened, and never in one crowd', async () => {
    for (let made = 0; made < 300; made += 1) await wait('enrollment');
    await budget().within('challenge', 'routine', () => Promise.resolve());
    const sizes = [];
    for (let second = 0; (await woken()).length < 300 && second < 60; second += 1) {
      sizes.push(await wakeWaiters(test.database));
      await test.database.query(`update okta_endpoints set opened_at = opened_at - interval '1 second'`);
    }
    expect(await woken()).toHaveLength(300);
    expect(sizes.length).toBeLessThanOrEqual(46);
    expect(Math.max(...sizes)).toBeLessThan(20);
  });
});

// The relay on a real Temporal server: order, outages, leases, and what each message starts.
// Long, because all share one namespace, which takes seconds to make.
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LANES, type Lane } from '../domain/lanes.ts';
import { repeatedAfterDeadlock } from '../adapters/store/base/deadlock.ts';
import { claimOutbox, closeOutbox, appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { temporalAddress } from '../test/harness/temporal.ts';
import { type RelayLog, startRelay } from './relay-loop.ts';

/** temporal.api.enums.v1.IndexedValueType */
const KEYWORD = 2;

const quiet: RelayLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

let test_: TestDatabase;
let connection: Connection;
let client: Client;
const running: { stop(): Promise<void> }[] = [];

// A namespace of its own: the relay's task queue is the product's, and no other test's worker may take its workflows.
beforeAll(async () => {
  test_ = await createTestDatabase();
  connection = await Connection.connect({ address: await temporalAddress() });
  const namespace = `relay-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  // A new namespace takes a moment to be known to every part of the server.
  await vi.waitFor(
    () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { IntegrationId: KEYWORD, DeviceId: KEYWORD, RolloutPhase: KEYWORD },
      }),
    { timeout: 30_000, interval: 200 },
  );
  client = new Client({ connection, namespace });
  await vi.waitFor(
    () =>
      expect(client.workflow.getHandle('none').describe()).rejects.toMatchObject({
        name: 'WorkflowNotFoundError',
      }),
    { timeout: 30_000, interval: 200 },
  );
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((relay) => relay.stop()));
});
afterAll(async () => {
  await connection.close();
  await test_.drop();
});

const relay = (temporal: () => Promise<Client> = () => Promise.resolve(client)) => {
  const started = startRelay({ database: test_.database, temporal, log: quiet, metrics: new Registry() });
  running.push(started);
  return started;
};

/** Of the rollout of this key, which counts what it is told. */
const signalCount = (key: string, body: Readonly<Record<string, unknown>> = {}, lane?: Lane) =>
  appendOutboxMessage(
    test_.database,
    key,
    { kind: 'signal', workflowId: `rollout/${key}`, signal: 'count', body },
    lane,
  );

async function newDevice(options: { inScope: boolean; isConfigured?: boolean }): Promise<string> {
  const sql = test_.database;
  const [secret] = await sql.query<{ id: string }>(
    `insert into secrets (kind, key_id, sealed, set_by, address) values ('okta_client_secret', 'k', '\\x00', 'test', 'acme.okta.com') returning id`,
  );
  const [integration] = await sql.query<{ id: string }>(
    `insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
     values ('acme', gen_random_uuid()::text, 'acme.okta.com', 'api_service_integration', 'c', $1, '{}') returning id`,
    [secret?.id],
  );
  if (options.isConfigured !== false)
    await sql.query(
      `insert into integration_platforms (integration_id, platform, secret_id) values ($1, 'macOS', $2)`,
      [integration?.id, secret?.id],
    );
  const [blueprint] = await sql.query<{ id: string }>(
    `insert into blueprints (name) values (gen_random_uuid()::text) returning id`,
  );
  await sql.query(
    `with item as (insert into library_items (integration_id, device_trust_on) values ($1, $2) returning id)
     insert into library_item_blueprints (blueprint_id, library_item_id) select $3, id from item`,
    [integration?.id, options.inScope, blueprint?.id],
  );
  const [device] = await sql.query<{ id: string }>(
    `insert into devices (family, platform, udid, name, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
     values ('Mac', 'macOS', gen_random_uuid()::text, 'Studio', $1, 'enrolled', gen_random_uuid(), sha256(gen_random_uuid()::text::bytea))
     returning id`,
    [blueprint?.id],
  );
  return device?.id ?? '';
}

const outcomes = (key: string) =>
  test_.database
    .query<{ outcome: string | null }>(
      'select outcome from outbox where ordering_key = $1 order by position',
      [key],
    )
    .then((rows) => rows.map(({ outcome }) => outcome));

/** Signals of the workflow's present run, in the order of its history. */
async function signals(workflowId: string) {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const signaled = event.workflowExecutionSignaledEventAttributes;
    const data = signaled?.input?.payloads?.[0]?.data;
    return data
      ? [
          {
            name: signaled?.signalName,
            body: JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>,
          },
        ]
      : [];
  });
}

const start = (workflowId: string) =>
  client.workflow.start('anything', { workflowId, taskQueue: 'nobody-listens', args: [] });

describe('the relay', () => {
  test('starts a rollout with its search attributes, and tells it why', async () => {
    const deviceId = await newDevice({ inScope: true });
    await appendOutboxMessage(test_.database, deviceId, {
      kind: 'rollOutDevice',
      deviceId,
      reason: 'item saved',
    });
    relay();
    await expect.poll(() => outcomes(deviceId)).toEqual(['started']);
    const described = await client.workflow.getHandle(`rollout/${deviceId}`).describe();
    expect(described.type).toBe('rollOutDevice');
    expect(described.taskQueue).toBe('odette');
    expect(described.typedSearchAttributes.getAll().map(({ value }) => value)).toContain(deviceId);
    expect(await signals(`rollout/${deviceId}`)).toEqual([
      { name: 'desiredStateChanged', body: { eventId: expect.any(String) as string, reason: 'item saved' } },
    ]);
  });

  test('keeps the order of one device through a hundred signals, with two relays at work', async () => {
    const key = randomUUID();
    await start(`rollout/${key}`);
    for (let index = 0; index < 100; index += 1) await signalCount(key, { index });
    relay();
    relay();
    await expect
      .poll(() => outcomes(key).then((all) => all.filter((each) => each === 'delivered').length), {
        timeout: 20_000,
      })
      .toBe(100);
    expect((await signals(`rollout/${key}`)).map(({ body }) => body['index'])).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  test('a response for a workflow that is gone starts the rollout of a device in scope, and nothing else', async () => {
    const inScope = await newDevice({ inScope: true });
    const outOfScope = await newDevice({ inScope: false });
    const notConfigured = await newDevice({ inScope: true, isConfigured: false });
    for (const deviceId of [inScope, outOfScope, notConfigured])
      for (const [workflowId, startsRollout] of [
        [`rollout/${deviceId}`, true],
        [`certificate/${deviceId}`, false],
      ] as const)
        await appendOutboxMessage(test_.database, deviceId, {
          kind: 'deviceSignal',
          deviceId,
          workflowId,
          signal: 'deviceEnrolled',
          body: {},
          startsRollout,
        });
    relay();
    await expect.poll(() => outcomes(inScope)).toEqual(['started', 'gone']);
    await expect.poll(() => outcomes(outOfScope)).toEqual(['gone', 'gone']);
    await expect.poll(() => outcomes(notConfigured)).toEqual(['gone', 'gone']);
    expect(await signals(`rollout/${inScope}`)).toMatchObject([
      { name: 'desiredStateChanged', body: { reason: 'deviceEnrolled' } },
    ]);
  });

  test('tells a certificate workflow its signal, and starts it if need be', async () => {
    const deviceId = await newDevice({ inScope: true });
    await appendOutboxMessage(test_.database, deviceId, {
      kind: 'keepCertificate',
      deviceId,
      signal: 'renewNow',
      body: { reason: 'asked' },
    });
    relay();
    await expect.poll(() => outcomes(deviceId)).toEqual(['started']);
    expect((await client.workflow.getHandle(`certificate/${deviceId}`).describe()).type).toBe(
      'keepCertificate',
    );
    expect(await signals(`certificate/${deviceId}`)).toMatchObject([
      { name: 'renewNow', body: { reason: 'asked' } },
    ]);
  });

  test('waits for Temporal as long as it takes, and then delivers in order', async () => {
    const key = randomUUID();
    let isAway = true;
    relay(() =>
      isAway
        ? Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
        : Promise.resolve(client),
    );
    await start(`rollout/${key}`);
    for (const index of [1, 2, 3]) await signalCount(key, { index });
    await pause(1500);
    expect(await outcomes(key)).toEqual([null, null, null]);
    isAway = false;
    await expect
      .poll(() => outcomes(key), { timeout: 20_000 })
      .toEqual(['delivered', 'delivered', 'delivered']);
    expect((await signals(`rollout/${key}`)).map(({ body }) => body['index'])).toEqual([1, 2, 3]);
  });

  test('a message that Temporal refuses holds up its own key only', async () => {
    const [bad, good] = [randomUUID(), randomUUID()];
    await start(`rollout/${good}`);
    await appendOutboxMessage(test_.database, bad, {
      kind: 'signal',
      workflowId: '',
      signal: 'count',
      body: {},
    });
    await signalCount(good);
    relay();
    await expect.poll(() => outcomes(good)).toEqual(['delivered']);
    expect(await outcomes(bad)).toEqual([null]);
    await test_.database.query('delete from outbox where ordering_key = $1', [bad]);
  });

  test('a message that meets an outage of its own holds up no other key', async () => {
    const [bad, good] = [randomUUID(), randomUUID()];
    await start(`rollout/${good}`);
    let refused = 0;
    const busy = () => {
      refused += 1;
      // RESOURCE_EXHAUSTED, as for a workflow that is busy.
      return Promise.reject(Object.assign(new Error('busy'), { code: 8, details: 'busy', metadata: {} }));
    };
    const getHandle = (id: string) => (id.endsWith(bad) ? { signal: busy } : client.workflow.getHandle(id));
    const withDeadline = (_deadline: unknown, work: () => Promise<unknown>) => work();
    relay(() => Promise.resolve({ withDeadline, workflow: { getHandle } } as unknown as Client));
    await signalCount(bad);
    await expect.poll(() => refused, { timeout: 20_000 }).toBeGreaterThan(1);
    await signalCount(good);
    await expect.poll(() => outcomes(good), { timeout: 20_000 }).toEqual(['delivered']);
    await test_.database.query('delete from outbox where ordering_key = $1', [bad]);
  });

  test('what a person waits for goes before what devices said, late renewals and checks, with what must be told before it', async () => {
    const [device, late, wish] = [randomUUID(), randomUUID(), randomUUID()];
    const checks = Array.from({ length: 50 }, () => randomUUID());
    for (const key of checks) await signalCount(key, {}, 'routine');
    // A wish behind a check of the same device: the order of the device holds, and both go ahead.
    await signalCount(wish, {}, 'routine');
    await signalCount(late, {}, 'late');
    await signalCount(device, {}, 'device');
    await signalCount(wish, {}, 'person');
    const claim = async (maxLane: number) => {
      const [claimed] = await claimOutbox(test_.database, { limit: 1, leaseSeconds: 60, maxLane });
      if (claimed) await closeOutbox(test_.database, [{ id: claimed.id, outcome: 'gone' }]);
      return claimed?.orderingKey;
    };
    const { routine, device: urgent } = LANES;
    expect([await claim(urgent), await claim(urgent), await claim(urgent)]).toEqual([wish, wish, device]);
    // No room for more rollouts: the others stay.
    expect(await claim(urgent)).toBeUndefined();
    expect([await claim(routine), await claim(routine)]).toEqual([late, checks[0]]);
    await test_.database.query('delete from outbox where ordering_key = any($1)', [checks]);
  });

  test('a thousand rollouts that somebody replays are told in portions, and a new enrollment goes before them', async () => {
    const [row] = await test_.database.query<{ ids: string[] }>(
      'select array_agg(gen_random_uuid()) as ids from generate_series(1, 1000)',
    );
    const ids = row?.ids ?? [];
    await test_.database.query(
      `insert into outbox (ordering_key, lane, message)
         select id::text, $2, jsonb_build_object('kind', 'rollOutDevice', 'deviceId', id, 'reason', 'replayed') from unnest($1::uuid[]) as id`,
      [ids, LANES.late],
    );
    const delivered: string[] = [];
    // Whoever is told starts, and has not ended.
    const signalWithStart = (_type: string, { workflowId }: { workflowId: string }) => {
      delivered.push(workflowId);
      return Promise.resolve({});
    };
    await test_.database.query(
      `insert into devices (id, family, platform, udid, enrollment_status, enrollment_id, identity_fingerprint)
         select id, 'Mac', 'macOS', id::text, 'enrolled', id, decode(md5(id::text), 'hex') from unnest($1::uuid[]) as id`,
      [ids],
    );
    const withDeadline = (_deadline: unknown, work: () => Promise<unknown>) => work();
    relay(() => Promise.resolve({ withDeadline, workflow: { signalWithStart } } as unknown as Client));
    await expect.poll(() => delivered.length, { timeout: 20_000 }).toBeGreaterThan(299);
    const enrolled = await newDevice({ inScope: true });
    await appendOutboxMessage(test_.database, enrolled, {
      kind: 'rollOutDevice',
      deviceId: enrolled,
      reason: 'enrolled',
    });
    await expect.poll(() => delivered, { timeout: 20_000 }).toContain(`rollout/${enrolled}`);
    const portion = delivered.length;
    expect(portion).toBeLessThan(300 + 2 * 32);
    // One that ends makes room for another.
    await test_.database.query(
      `insert into rollout_runs (run_id, workflow_id, device_id, started_at, closed_at)
         select gen_random_uuid(), 'rollout/' || id, id, now(), now() from unnest($1::uuid[]) as id`,
      [delivered.slice(0, 100).map((id) => id.replace('rollout/', ''))],
    );
    await expect.poll(() => delivered.length, { timeout: 20_000 }).toBeGreaterThan(portion);
    // The relay closes some of them at the same moment.
    await repeatedAfterDeadlock(() =>
      test_.database.query('delete from outbox where ordering_key = any($1::text[])', [ids]),
    );
    await test_.database.query('delete from devices where id = any($1::uuid[])', [ids]);
  });

  test('sweeps out everything that is old, however much it is', async () => {
    await test_.database.query(
      `insert into outbox (ordering_key, lane, message, delivered_at, outcome)
         select 'old', 4, '{}', now() - interval '30 days', 'gone' from generate_series(1, 25000)`,
    );
    relay();
    await expect.poll(() => outcomes('old').then(({ length }) => length), { timeout: 60_000 }).toBe(0);
  });

  test('closes a row in the claim of the one behind it, which then comes at once', async () => {
    const key = randomUUID();
    for (const index of [1, 2]) await signalCount(key, { index });
    const claim = (delivered: { id: string; outcome: 'gone' }[] = []) =>
      claimOutbox(test_.database, { limit: 1, leaseSeconds: 60, maxLane: LANES.routine, delivered });
    const [first] = await claim();
    expect(first).toMatchObject({ orderingKey: key, hasNext: true });
    expect(await claim()).toEqual([]);
    const [second] = await claim([{ id: first?.id ?? '', outcome: 'gone' }]);
    expect(second).toMatchObject({ orderingKey: key, hasNext: false });
    expect(await outcomes(key)).toEqual(['gone', null]);
    await closeOutbox(test_.database, [{ id: second?.id ?? '', outcome: 'gone' }]);
    expect(await outcomes(key)).toEqual(['gone', 'gone']);
  });

  test("takes over a killed relay's rows when their lease is over, and not before", async () => {
    const key = randomUUID();
    await start(`rollout/${key}`);
    for (const index of [1, 2]) await signalCount(key, { index });
    const claimed = await claimOutbox(test_.database, { limit: 1, leaseSeconds: 3, maxLane: LANES.routine });
    expect(claimed.map(({ orderingKey }) => orderingKey)).toEqual([key]);
    relay();
    await pause(1000);
    expect(await outcomes(key)).toEqual([null, null]);
    await expect.poll(() => outcomes(key), { timeout: 20_000 }).toEqual(['delivered', 'delivered']);
  });

  test("makes, changes and removes an integration's sweeps", async () => {
    const deviceId = await newDevice({ inScope: true });
    const [row] = await test_.database.query<{ id: string }>(
      `select integration_id as id from library_items join library_item_blueprints on library_item_id = library_items.id
         join devices using (blueprint_id) where devices.id = $1`,
      [deviceId],
    );
    const integrationId = row?.id ?? '';
    const every = async (kind: string) =>
      (await client.schedule.getHandle(`sweep/${kind}/${integrationId}`).describe()).spec.intervals?.[0]
        ?.every;
    const tell = (wanted: boolean) =>
      appendOutboxMessage(test_.database, integrationId, { kind: 'sweeps', integrationId, wanted });
    relay();
    await tell(true);
    await expect.poll(() => outcomes(integrationId)).toEqual(['delivered']);
    expect(await Promise.all(['trust', 'enforcement', 'expiry'].map(every))).toEqual([
      15 * 60_000,
      60 * 60_000,
      360 * 60_000,
    ]);
    await test_.database.query(
      `update integrations set settings = '{"trustSweepMinutes": 5}' where id = $1`,
      [integrationId],
    );
    await tell(true);
    await expect.poll(() => outcomes(integrationId)).toEqual(['delivered', 'delivered']);
    expect(await every('trust')).toBe(5 * 60_000);
    await tell(false);
    await expect.poll(() => outcomes(integrationId)).toEqual(['delivered', 'delivered', 'delivered']);
    await expect(every('trust')).rejects.toThrow();
  });
});

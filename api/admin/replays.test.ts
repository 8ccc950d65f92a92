// A replay of failed rollouts: its counts follow what becomes of each device, and a stop takes back only what was not told yet.
import { LANES } from '../../domain/lanes.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimOutbox, closeOutbox } from '../../adapters/store/base/outbox.ts';
import { recordRunEnd } from '../../adapters/store/rollout/rollout-runs.ts';
import { insertRun } from '../../test/harness/recorded-run.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

const SILENT = { failureCode: 'mdm.device_silent', reason: 'network repaired' };
const AT = new Date('2027-01-02T03:04:05Z');
let api: AdminApi;

beforeAll(async () => {
  api = await openAdminApi();
  await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

const start = async (): Promise<string> =>
  (await api.call('POST', '/api/rollouts/replay', SILENT)).body.replayId as string;
const counts = async (id: string) => {
  const { waiting, running, completed, failed, withdrawn } = (await api.call('GET', `/api/replays/${id}`))
    .body as Record<string, number>;
  return { waiting, running, completed, failed, withdrawn };
};
const none = { waiting: 0, running: 0, completed: 0, failed: 0, withdrawn: 0 };

test('each device of it waits, runs and ends, whatever its earlier runs came to', async () => {
  const id = await start();
  expect(await counts(id)).toEqual({ ...none, waiting: 2 });
  const [first, second] = await claimOutbox(api.database, {
    limit: 10,
    leaseSeconds: 60,
    maxLane: LANES.routine,
  });
  expect(first?.message).toMatchObject({
    kind: 'rollOutDevice',
    reason: 'replayed: network repaired',
    asksUserAgain: true,
  });
  await closeOutbox(api.database, [{ id: first?.id ?? '', outcome: 'started' }]);
  expect(await counts(id)).toEqual({ ...none, waiting: 1, running: 1 });
  await closeOutbox(api.database, [{ id: second?.id ?? '', outcome: 'started' }]);
  for (const [place, told] of [first, second].entries()) {
    const deviceId = told?.orderingKey ?? '';
    const run = { runId: `again-${place}`, deviceId, workflowId: `rollout/${deviceId}` };
    await insertRun(api.database, run, AT);
  }
  expect(await counts(id)).toEqual({ ...none, running: 2 });
  await recordRunEnd(api.database, 'again-0', 'completed', null, AT);
  await recordRunEnd(api.database, 'again-1', 'failed', 'mdm.device_silent', AT);
  expect(await counts(id)).toEqual({ ...none, completed: 1, failed: 1 });
  expect((await api.call('GET', '/api/replays')).body.items[0]).toMatchObject({
    id,
    reason: 'network repaired',
    startedBy: 'token:this machine',
    stoppedAt: null,
  });
  expect((await api.call('POST', `/api/replays/${id}/stop`)).body.code).toBe('request.conflict');
});

test('a stop leaves as they were those that nobody was told of, and the others go on', async () => {
  const id = await start();
  // The relay holds one of them at this moment.
  const [held] = await claimOutbox(api.database, { limit: 1, leaseSeconds: 60, maxLane: LANES.routine });
  const stopped = await api.call('POST', `/api/replays/${id}/stop`);
  expect(stopped).toMatchObject({ status: 200, body: { waiting: 1, withdrawn: 1, devices: 2 } });
  expect(stopped.body.stoppedBy).toBe(stopped.body.startedBy);
  await closeOutbox(api.database, [{ id: held?.id ?? '', outcome: 'started' }]);
  expect(await counts(id)).toEqual({ ...none, running: 1, withdrawn: 1 });
  expect(await claimOutbox(api.database, { limit: 10, leaseSeconds: 60, maxLane: LANES.routine })).toEqual(
    [],
  );
  expect((await api.call('GET', '/api/audit?action=replay.stopped')).body.items).toMatchObject([
    { detail: { replay: id, withdrawn: 1 } },
  ]);
});

const replay = (body: object) => api.call('POST', '/api/rollouts/replay', body);

test('of a filter only what failed is replayed, and its preview says what that lacks', async () => {
  const preview = async (filter: object) => (await replay({ filter, preview: true })).body;
  expect(await preview({ family: ['iPhone'] })).toEqual({
    devices: 2,
    lacking: { delivered: 2, certificatePresent: 0, oktaVerifyManaged: 2 },
    replayId: null,
    next: null,
  });
  expect(await preview({ search: 'C02SEED3' })).toMatchObject({ devices: 1, lacking: { delivered: 1 } });
  expect(await preview({ bucket: ['trusted', 'in_progress'] })).toMatchObject({ devices: 0 });
  expect(await preview({ family: ['Mac'] })).toMatchObject({ devices: 0 });
  expect((await replay({ reason: 'everything' })).status).toBe(400);
  expect((await replay({ filter: { family: ['Mac'] } })).body.code).toBe('request.conflict');
  const other = { failureCode: 'mdm.device_silent', filter: { failureCode: ['mdm.profile_refused'] } };
  expect((await replay({ ...other, preview: true })).body.devices).toBe(0);
});

test('a replay of a filter has its counts, its stop, and its filter in the audit trail', async () => {
  const filter = { search: 'C02SEED5' };
  const { status, body } = await replay({ filter, reason: 'back from repair' });
  expect([status, body.devices]).toEqual([202, 1]);
  const id = body.replayId as string;
  expect(await counts(id)).toEqual({ ...none, waiting: 1 });
  expect((await api.call('POST', `/api/replays/${id}/stop`)).body).toMatchObject({
    withdrawn: 1,
    reason: 'back from repair',
  });
  expect((await api.call('GET', '/api/audit?action=rollout.replayed')).body.items[0]).toMatchObject({
    detail: { replay: id, devices: 1, filter, reason: 'back from repair' },
  });
});

test('what one request does not take is replayed from where it ended, although it is still failed', async () => {
  const all = { filter: { phase: ['failed'] }, limit: 1 };
  const { body: seen } = await replay({ ...all, preview: true });
  expect(seen).toMatchObject({ devices: 1, lacking: { delivered: 1 }, next: expect.any(String) as string });
  const { body: first } = await replay(all);
  expect(first.next).toBe(seen.next);
  const { body: rest } = await replay({ ...all, after: first.next });
  expect([rest.devices, rest.next]).toEqual([1, null]);
  const members = await api.database.query<{ deviceId: string }>(
    'select distinct device_id from replay_devices where replay_id = any($1)',
    [[first.replayId, rest.replayId]],
  );
  expect(members).toHaveLength(2);
});

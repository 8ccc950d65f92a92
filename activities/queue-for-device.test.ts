// Commands are queued once, whoever asks again: a lost result, a newer plan, a run after a reset. And nobody looks first for what is new.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { desiredStateOf, readDeviceState } from '../adapters/store/rollout/rollout-state.ts';
import type { StepRequest } from '../domain/rollout-action.ts';
import { stepOf } from '../domain/rollout-step.ts';
import { connectIntegration } from '../test/harness/connected-integration.ts';
import { newSigner } from '../test/harness/new-signer.ts';
import { recordingDatabase } from '../test/harness/recording-database.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/postgres.ts';
import { BodySource } from './command-body.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { queueAll, type QueueInput } from './queue-for-device.ts';

let own: TestDatabase;
let fleet: Awaited<ReturnType<typeof connectIntegration>>;
let deps: ActivityDependencies;
/** Since they were last forgotten. */
const statements: string[] = [];

beforeAll(async () => {
  own = await createTestDatabase();
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  fleet = await connectIntegration(own.database, sealer, 'localhost', {});
  const signer = await newSigner();
  deps = {
    database: recordingDatabase(own.database, statements),
    sealer,
    apns: () => Promise.resolve({ push: () => Promise.resolve() }),
    profileSigner: () => Promise.resolve(signer),
  } as Partial<ActivityDependencies> as ActivityDependencies;
});
afterAll(() => own.drop());
beforeEach(() => fleet.switchTrust(true));

const SETTINGS = 'settings';
const LIST = { type: 'ProfileList' } as const;

async function device(family: 'Mac' | 'iPhone' = 'Mac') {
  const [row] = await own.database.query<{ id: string; enrollmentId: string }>(
    `insert into devices (family, platform, udid, blueprint_id, enrollment_status, enrollment_id)
     values ($1, $2, gen_random_uuid(), $3, 'enrolled', gen_random_uuid()) returning id, enrollment_id`,
    [family, family === 'Mac' ? 'macOS' : 'iOS', fleet.blueprintId],
  );
  const { id: deviceId, enrollmentId } = row ?? { id: '', enrollmentId: '' };
  const state = await readDeviceState(own.database, deviceId);
  const revision =
    (state && desiredStateOf(state)?.profiles.find(({ kind }) => kind === SETTINGS)?.revision) ?? '';
  const owner = { workflowId: `rollout/${deviceId}`, firstRunId: randomUUID() };
  return {
    deviceId,
    profile: { type: 'InstallProfile', kind: SETTINGS, revision } as const,
    queue: async (requests: readonly StepRequest[], runId = owner.firstRunId) => {
      const commands = requests.map((request) => ({ step: stepOf(request), request, attempt: 1 }));
      const input: QueueInput = { deviceId, enrollmentId, scope: '', ...owner, runId, commands };
      statements.length = 0;
      return (await queueAll(deps, input, new BodySource(deps, deviceId, state))).commands;
    },
    isAnswered: (uuid = '') =>
      own.database.query(
        `update commands set state = 'responded', status = 'Acknowledged', responded_at = now() where uuid = $1`,
        [uuid],
      ),
    rows: () =>
      own.database.query<{ uuid: string; runId: string; state: string }>(
        'select uuid, run_id, state from commands where device_id = $1 order by position',
        [deviceId],
      ),
  };
}

test('what is new is queued in one statement, and its device woken', async () => {
  const mac = await device();
  const commands = await mac.queue([mac.profile, { type: 'InstallApplication', revision: '' }, LIST]);
  expect(statements).toHaveLength(2);
  expect(commands.map(({ status }) => status)).toEqual([null, null, null]);
  expect((await mac.rows()).map(({ uuid }) => uuid)).toEqual(commands.map(({ commandUuid }) => commandUuid));
});

test('asked again, as after a lost result, each is there once and says how it stands', async () => {
  const mac = await device();
  const first = await mac.queue([mac.profile, LIST]);
  await mac.isAnswered(first[0]?.commandUuid);
  const again = await mac.queue([mac.profile, LIST]);
  expect(again).toEqual([{ ...first[0], status: 'Acknowledged' }, first[1]]);
  expect(await mac.rows()).toHaveLength(2);
});

test('what is not wanted any more is as it was where it was queued, and is not queued where it was not', async () => {
  const [asked, never] = [await device(), await device()];
  const [first] = await asked.queue([asked.profile]);
  await asked.isAnswered(first?.commandUuid);
  await fleet.switchTrust(false);
  const source = async ({ deviceId }: { deviceId: string }) => readDeviceState(own.database, deviceId);
  expect((await source(asked))?.itemIsOn).toBe(false);
  const later = async ({ deviceId, profile }: typeof asked, runId: string) => {
    const [row] = await own.database.query<{ enrollmentId: string }>(
      'select enrollment_id from devices where id = $1',
      [deviceId],
    );
    const owner = { workflowId: `rollout/${deviceId}`, firstRunId: runId, runId };
    const commands = [profile, LIST].map((request) => ({ step: stepOf(request), request, attempt: 1 }));
    const input = { deviceId, enrollmentId: row?.enrollmentId ?? '', scope: '', ...owner, commands };
    return (await queueAll(deps, input, new BodySource(deps, deviceId))).commands;
  };
  const [known] = await asked.rows();
  expect(await later(asked, known?.runId ?? '')).toMatchObject([
    { commandUuid: known?.uuid, status: 'Acknowledged' },
    { status: null },
  ]);
  expect(await later(never, randomUUID())).toMatchObject([{ status: 'Withdrawn' }, { status: null }]);
  expect(await never.rows()).toHaveLength(1);
});

test('of two of which one is there the other is queued, and the first goes on', async () => {
  const mac = await device();
  const [first] = await mac.queue([LIST]);
  const both = await mac.queue([LIST, mac.profile]);
  expect(both[0]).toEqual(first);
  expect(both[1]).toMatchObject({ status: null });
  expect((await mac.rows()).map(({ state }) => state)).toEqual(['queued', 'queued']);
});

test('a run after a reset takes over what is open, and asks anew what was answered', async () => {
  const mac = await device();
  const first = await mac.queue([mac.profile, LIST]);
  await mac.isAnswered(first[0]?.commandUuid);
  const run = randomUUID();
  const after = await mac.queue([mac.profile, LIST], run);
  expect(after).toMatchObject([{ status: null, attempt: 2 }, first[1]]);
  const rows = await mac.rows();
  expect(rows.filter(({ state }) => state === 'queued').map(({ runId }) => runId)).toEqual([run, run]);
});

test('nobody opens a secret for a command of an iPhone that is there already', async () => {
  const phone = await device('iPhone');
  const opened = async () =>
    (
      await own.database.query<{ count: number }>(
        `select count(*)::int as count from audit_entries where action = 'secret.used'`,
      )
    )[0]?.count;
  await phone.queue([{ type: 'InstallApplication', revision: '' }]);
  const before = await opened();
  await phone.queue([{ type: 'InstallApplication', revision: '' }]);
  expect(await opened()).toBe(before);
  expect(await phone.rows()).toHaveLength(1);
});

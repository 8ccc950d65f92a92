// Idles that come at once are recorded together, and each device is answered for itself.
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { queueCommand } from '../../../test/harness/queue-command.ts';
import { IdlesTogether } from './idles-together.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

interface Sender {
  readonly udid: string;
  readonly fingerprint: Buffer;
}
let senders: Sender[];
let idles: IdlesTogether;

beforeEach(async () => {
  idles = new IdlesTogether(own.database);
  senders = Array.from({ length: 8 }, () => {
    const udid = randomUUID();
    return { udid, fingerprint: createHash('sha256').update(udid).digest() };
  });
  await own.database.query(
    `insert into devices (family, platform, udid, identity_fingerprint, enrollment_status, enrollment_id)
     select 'Mac', 'macOS', udid, fingerprint, 'enrolled', gen_random_uuid() from unnest($1::text[], $2::bytea[]) as sender (udid, fingerprint)`,
    [senders.map(({ udid }) => udid), senders.map(({ fingerprint }) => fingerprint)],
  );
});

const sender = (place: number): Sender => senders[place] ?? { udid: '', fingerprint: Buffer.alloc(0) };

async function queueFor(place: number): Promise<string> {
  const [device] = await own.database.query<{ id: string; enrollmentId: string }>(
    'select id, enrollment_id from devices where udid = $1',
    [sender(place).udid],
  );
  const { id: deviceId, enrollmentId } = device ?? { id: '', enrollmentId: '' };
  const uuid = randomUUID();
  const command = { uuid, deviceId, enrollmentId, workflowId: `rollout/${deviceId}`, step: uuid };
  await own.database.inTransaction((sql) =>
    queueCommand(sql, { ...command, requestType: 'InstallProfile', body: Buffer.from('x') }),
  );
  return uuid;
}

const recordAll = () => Promise.all(senders.map((each) => idles.record(each)));
const given = (contacts: readonly Awaited<ReturnType<IdlesTogether['record']>>[]) =>
  contacts.map((contact) => contact && (contact.next?.uuid ?? 'nothing'));
const inContact = async () =>
  (
    await own.database.query<{ udid: string }>(
      'select udid from devices where udid = any($1) and last_contact_at is not null',
      [senders.map(({ udid }) => udid)],
    )
  ).length;

test('each device gets its oldest command, and where there is none only its contact is recorded', async () => {
  const [first, , fifth] = [await queueFor(1), await queueFor(1), await queueFor(5)];
  const expected = senders.map((_, place) => (place === 1 ? first : place === 5 ? fifth : 'nothing'));
  expect(given(await recordAll())).toEqual(expected);
  expect(await inContact()).toBe(senders.length);
});

test('an identity speaks for its own device only', async () => {
  const stranger = { udid: sender(0).udid, fingerprint: sender(1).fingerprint };
  const [refused, ...others] = await Promise.all([
    idles.record(stranger),
    ...senders.slice(1).map((each) => idles.record(each)),
  ]);
  expect(refused).toBeUndefined();
  expect(given(others)).toEqual(others.map(() => 'nothing'));
  expect(await inContact()).toBe(senders.length - 1);
});

test('of two that one device sends at once only one is given its command', async () => {
  const uuid = await queueFor(0);
  expect(given(await Promise.all([idles.record(sender(0)), idles.record(sender(0))]))).toEqual([
    uuid,
    undefined,
  ]);
});

test('a device that is held elsewhere is left out, and keeps nobody waiting', async () => {
  await own.database.inTransaction(async (sql) => {
    await sql.query('select from devices where udid = $1 for update', [sender(3).udid]);
    expect(given(await recordAll())).toEqual(
      senders.map((_, place) => (place === 3 ? undefined : 'nothing')),
    );
  });
});

test('where one command is held elsewhere nothing is written, and the next ones are recorded', async () => {
  const uuid = await queueFor(2);
  await own.database.inTransaction(async (sql) => {
    await sql.query('select from commands where uuid = $1 for update', [uuid]);
    // The first two go alone, and all others together.
    const contacts = given(await recordAll());
    expect(contacts).toEqual(senders.map((_, place) => (place < 2 ? 'nothing' : undefined)));
  });
  expect(given([await idles.record(sender(2))])).toEqual([uuid]);
});

test('where the database refuses, all that came together hear it, and later ones are recorded', async () => {
  await own.database.query('alter table devices rename to away');
  const refused = await Promise.allSettled(senders.map((each) => idles.record(each)));
  expect(refused.map(({ status }) => status)).toEqual(senders.map(() => 'rejected'));
  await own.database.query('alter table away rename to devices');
  expect(given(await recordAll())).toEqual(senders.map(() => 'nothing'));
});

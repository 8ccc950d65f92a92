// What nearly every message of a device costs: one statement. And that nothing is lost where another transaction has the device.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report, ReportStatus } from '../../adapters/mdm/device-message.ts';
import { IdlesTogether } from '../../adapters/store/devices/idles-together.ts';
import { findCommand } from '../../adapters/store/devices/commands.ts';
import { recordingDatabase } from '../../test/harness/recording-database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/postgres.ts';
import { queueCommand } from '../../test/harness/queue-command.ts';
import { exchange } from './command-report.ts';
import { GivenCommands } from './given-commands.ts';
import type { Slot } from './long-poll.ts';
import type { Signer } from './signer.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

async function newDevice() {
  const fingerprint = randomBytes(32);
  const udid = randomUUID();
  const [row] = await own.database.query<{ id: string; enrollmentId: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, identity_fingerprint)
     values ('Mac', 'macOS', $1, 'enrolled', gen_random_uuid(), $2) returning id, enrollment_id`,
    [udid, fingerprint],
  );
  const { id, enrollmentId } = row ?? { id: '', enrollmentId: '' };
  const statements: string[] = [];
  /** Of each report, the mark of its request where it waits. */
  const waits: (Date | undefined)[] = [];
  const slot: Slot = {
    milliseconds: 1000,
    next: () => Promise.resolve('timedOut'),
    isClosed: () => false,
    leave: () => undefined,
    close: () => undefined,
  };
  const database = recordingDatabase(own.database, statements);
  const given = new GivenCommands(database);
  const signer = { certificate: { fingerprint }, isValidNow: true } as unknown as Signer;
  return {
    id,
    /** Sent since the last message began. */
    statements,
    waits,
    waitsUntil: async () => {
      const [device] = await own.database.query<{ until: Date | null }>(
        'select long_poll_until as until from devices where id = $1',
        [id],
      );
      return device?.until;
    },
    report: async (status: ReportStatus, commandUuid?: string) => {
      statements.length = 0;
      const report: Report = {
        type: 'Report',
        udid,
        status,
        errorChain: [],
        dict: {},
        ...(commandUuid !== undefined && { commandUuid }),
      };
      const compareConfiguration = () => Promise.resolve(undefined);
      const { next, begun } = await exchange(
        {
          database,
          given,
          idles: new IdlesTogether(database),
          compareConfiguration,
          longPolls: { take: () => slot },
        },
        report,
        Buffer.alloc(0),
        signer,
      );
      if (next) given.note({ udid, deviceId: id }, next);
      waits.push(begun?.mark);
      return next?.uuid;
    },
    queue: async () => {
      const uuid = randomUUID();
      const workflowId = `rollout/${id}`;
      const command = {
        uuid,
        deviceId: id,
        enrollmentId,
        workflowId,
        step: uuid,
        requestType: 'InstallProfile',
        body: Buffer.from('x'),
      };
      await own.database.inTransaction((sql) => queueCommand(sql, command));
      return uuid;
    },
    told: async () =>
      (
        await own.database.query<{ uuids: string[] }>(
          `select array(select each ->> 'commandUuid' from jsonb_array_elements(message -> 'body' -> 'responses') as each) as uuids
             from outbox where ordering_key = $1 order by position`,
          [id],
        )
      ).map(({ uuids }) => uuids),
    lastContact: async () =>
      (
        await own.database.query<{ lastContactAt: Date | null }>(
          'select last_contact_at from devices where id = $1',
          [id],
        )
      )[0]?.lastContactAt,
  };
}

describe('one statement is', () => {
  test('an Idle with nothing to do, its contact with it', async () => {
    const device = await newDevice();
    expect(await device.report('Idle')).toBeUndefined();
    expect(device.statements).toHaveLength(1);
    expect(await device.lastContact()).toBeInstanceOf(Date);
  });

  test('an Idle that is given the next command, a response with the one after it, and the last, of which the run is told', async () => {
    const device = await newDevice();
    const [first, second] = [await device.queue(), await device.queue()];
    expect(await device.report('Idle')).toBe(first);
    expect(device.statements).toHaveLength(1);
    expect(await device.report('Acknowledged', first)).toBe(second);
    expect(device.statements).toHaveLength(1);
    expect(await device.told()).toEqual([]);
    expect(await device.report('Error', second)).toBeUndefined();
    expect(device.statements).toHaveLength(1);
    expect(await device.told()).toEqual([[first, second]]);
  });

  test('a response after which the request waits, and the begin of its wait', async () => {
    const device = await newDevice();
    const [first, second] = [await device.queue(), await device.queue()];
    await device.report('Idle');
    await device.report('Acknowledged', first);
    expect(await device.waitsUntil()).toBeNull();
    await device.report('Acknowledged', second);
    expect(device.statements).toHaveLength(1);
    expect(device.waits).toEqual([undefined, undefined, expect.any(Date)]);
    expect(await device.waitsUntil()).toEqual(device.waits[2]);
  });
});

test('a device that another transaction holds is waited for, and what that one has changed counts', async () => {
  const device = await newDevice();
  const [first, second] = [await device.queue(), await device.queue()];
  expect(await device.report('Idle')).toBe(first);
  let response: Promise<string | undefined> | undefined;
  await own.database.inTransaction(async (sql) => {
    await sql.query('select from devices where id = $1 for no key update', [device.id]);
    response = device.report('Acknowledged', first);
    await expect.poll(() => device.statements).toContain('begin');
    await sql.query(`update commands set state = 'withdrawn' where uuid = $1`, [second]);
  });
  expect(await response).toBeUndefined();
  expect(await device.told()).toEqual([[first]]);
});

test('a response that comes again is told once', async () => {
  const device = await newDevice();
  const uuid = await device.queue();
  await device.report('Idle');
  await device.report('Acknowledged', uuid);
  await device.report('Acknowledged', uuid);
  expect(await device.told()).toEqual([[uuid]]);
  expect(await findCommand(own.database, uuid)).toMatchObject({ state: 'responded', status: 'Acknowledged' });
});

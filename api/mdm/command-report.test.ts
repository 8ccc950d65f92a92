// The exchange under chance and haste: whatever a device and its workflows do in whatever order, the queue keeps its promises.
import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSign, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import type { Report, ReportStatus } from '../../adapters/mdm/device-message.ts';
import { IdlesTogether } from '../../adapters/store/devices/idles-together.ts';
import { findCommand, withdrawCommand } from '../../adapters/store/devices/commands.ts';
import { findInventory } from '../../adapters/store/devices/inventory.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/postgres.ts';
import { exchange } from './command-report.ts';
import { GivenCommands } from './given-commands.ts';
import type { Signer } from './signer.ts';
import { queueCommand } from '../../test/harness/queue-command.ts';

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.drop());

/** An enrolled device without its cryptography: the exchange itself only compares the fingerprint. */
async function newDevice() {
  const { database } = own;
  const fingerprint = randomBytes(32);
  const udid = randomUUID();
  const [row] = await database.query<{ id: string; enrollmentId: string }>(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, identity_fingerprint)
     values ('Mac', 'macOS', $1, 'enrolled', gen_random_uuid(), $2) returning id, enrollment_id`,
    [udid, fingerprint],
  );
  if (!row) throw new Error('no device');
  const signer = { certificate: { fingerprint }, isValidNow: true } as unknown as Signer;
  const given = new GivenCommands(database);
  const compared: string[] = [];
  const compareConfiguration = (deviceId: string) => {
    compared.push(deviceId);
    return Promise.resolve(undefined);
  };
  return {
    ...row,
    compared,
    report: async (
      status: ReportStatus,
      commandUuid?: string,
      dict: PlistDict = {},
      body = Buffer.alloc(0),
    ) => {
      const report: Report = {
        type: 'Report',
        udid,
        status,
        errorChain: [],
        dict,
        ...(commandUuid === undefined ? {} : { commandUuid }),
      };
      return (
        await exchange(
          {
            database,
            given,
            idles: new IdlesTogether(database),
            compareConfiguration,
            longPolls: { take: () => undefined },
          },
          report,
          body,
          signer,
        )
      ).next?.uuid;
    },
    queue: async (options: { step?: string; handsOverOnce?: boolean; requestType?: string } = {}) => {
      const uuid = randomUUID();
      await database.inTransaction((sql) =>
        queueCommand(sql, {
          uuid,
          deviceId: row.id,
          enrollmentId: row.enrollmentId,
          workflowId: `rollout/${row.id}`,
          step: options.step ?? uuid,
          requestType: options.requestType ?? 'InstallProfile',
          body: Buffer.from(uuid),
          handsOverOnce: options.handsOverOnce ?? false,
        }),
      );
      return uuid;
    },
    told: () =>
      database.query<{ uuid: string; status: string }>(
        `select response->>'commandUuid' as uuid, response->>'status' as status
           from outbox cross join lateral jsonb_array_elements(message->'body'->'responses') with ordinality as told (response, place)
          where ordering_key = $1 order by position, place`,
        [row.id],
      ),
  };
}

const FINAL = ['Acknowledged', 'Error', 'CommandFormatError'];
type Action = 'queue' | 'queueOnce' | 'idle' | 'Acknowledged' | 'Error' | 'NotNow' | 'repeat' | 'withdraw';
const actions = fc.array(
  fc.record({
    action: fc.constantFrom<Action>(
      'queue',
      'queueOnce',
      'idle',
      'idle',
      'Acknowledged',
      'Acknowledged',
      'Error',
      'NotNow',
      'repeat',
      'withdraw',
    ),
    which: fc.nat(20),
  }),
  { minLength: 5, maxLength: 25 },
);

describe('the queue keeps its promises', () => {
  test('for any order of commands, responses, repetitions, NotNow and withdrawals', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (script) => {
        const device = await newDevice();
        const queued: string[] = [];
        const once = new Set<string>();
        const [responded, withdrawn, offered] = [new Set<string>(), new Set<string>(), new Set<string>()];
        let notNow = new Set<string>();
        let current: string | undefined;
        let last: [ReportStatus, string] | undefined;
        const say = async (status: ReportStatus, uuid?: string) => {
          if (status === 'Idle') notNow = new Set();
          if (uuid !== undefined && FINAL.includes(status)) responded.add(uuid);
          if (uuid !== undefined && status === 'NotNow' && !responded.has(uuid)) notNow.add(uuid);
          current = await device.report(status, uuid);
          if (current === undefined) return;
          expect(responded.has(current), 'a finished command is never offered again').toBe(false);
          expect(withdrawn.has(current), 'a withdrawn command is never offered').toBe(false);
          expect(notNow.has(current), 'a NotNow waits for the next Idle').toBe(false);
          offered.add(current);
        };
        for (const { action, which } of script) {
          if (action === 'queue' || action === 'queueOnce') {
            const uuid = await device.queue({ handsOverOnce: action === 'queueOnce' });
            queued.push(uuid);
            if (action === 'queueOnce') once.add(uuid);
          } else if (action === 'idle') await say('Idle');
          else if (action === 'repeat') await (last && say(...last));
          else if (action === 'withdraw') {
            const uuid = queued[which % Math.max(1, queued.length)];
            if (uuid !== undefined && (await withdrawCommand(own.database, uuid))) withdrawn.add(uuid);
          } else if (current !== undefined) {
            last = [action, current];
            await say(action, current);
          }
        }
        // A well-behaved device now takes everything that is left.
        for (let round = 0; round <= queued.length + 1; round += 1) {
          await say('Idle');
          while (current !== undefined) await say('Acknowledged', current);
        }
        const told = await device.told();
        for (const uuid of queued) {
          const row = await findCommand(own.database, uuid);
          const finals = told.filter((each) => each.uuid === uuid && FINAL.includes(each.status));
          if (responded.has(uuid)) expect([row?.state, finals.length]).toEqual(['responded', 1]);
          else
            expect(row?.state, 'what got no response was withdrawn, or may be handed over once only').toBe(
              'withdrawn',
            );
          if (!responded.has(uuid))
            expect(withdrawn.has(uuid) || (once.has(uuid) && offered.has(uuid))).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe('in haste', () => {
  test('a command is either withdrawn or handed over, never both', async () => {
    const device = await newDevice();
    const outcomes = new Set<string>();
    for (let round = 0; round < 30; round += 1) {
      const uuid = await device.queue({ step: 'certificate', handsOverOnce: true });
      const [isWithdrawn, offered] = await Promise.all([
        withdrawCommand(own.database, uuid),
        device.report('Idle'),
      ]);
      expect(isWithdrawn).toBe(offered === undefined);
      outcomes.add(isWithdrawn ? 'withdrawn' : 'handed over');
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });

  test('many requests of one device at once hand each command over once', async () => {
    const device = await newDevice();
    const queued = await Promise.all(Array.from({ length: 8 }, () => device.queue({ handsOverOnce: true })));
    // Not Idle, which would call what the others got unknown.
    const offers = await Promise.all(Array.from({ length: 12 }, () => device.report('NotNow', queued[0])));
    const got = offers.filter((offer) => offer !== undefined);
    expect(new Set(got).size).toBe(got.length);
    expect(got.length).toBe(7);
  });

  test('a workflow that refers to the device first and locks it then does not wait for the device in a circle', async () => {
    const device = await newDevice();
    const work = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0
        ? device.report('Idle')
        : own.database.inTransaction(async (sql) => {
            await sql.query(
              `insert into device_timeline (device_id, kind, text) values ($1, 'test', 'refers to the device')`,
              [device.id],
            );
            await queueCommand(sql, {
              uuid: randomUUID(),
              deviceId: device.id,
              enrollmentId: device.enrollmentId,
              workflowId: 'certificate/x',
              step: 'certificate',
              requestType: 'InstallProfile',
              body: Buffer.from('x'),
            });
          }),
    );
    expect((await Promise.allSettled(work)).filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});

test('a name that no database can hold spoils no list of certificates', async () => {
  const device = await newDevice();
  const { publicKey, privateKey } = await newRsaKeyPair();
  const now = new Date();
  const subject = [['CN', 'odd\0name']] as const;
  const odd = selfSign({ subject, publicKey, notBefore: now, notAfter: now, use: 'client' }, privateKey);
  const uuid = await device.queue({ requestType: 'CertificateList' });
  expect(await device.report('Idle')).toBe(uuid);
  await device.report('Acknowledged', uuid, { CertificateList: [{ Data: odd.der, IsIdentity: false }] });
  expect((await findInventory(own.database, device.id))?.certificates).toMatchObject([
    { commonName: 'odd\ufffdname' },
  ]);
  expect((await device.told()).map(({ status }) => status)).toEqual(['Acknowledged']);
});

test('a configuration is opened for the device that was asked for it, and once', async () => {
  const device = await newDevice();
  const other = await newDevice();
  const uuid = await device.queue({ requestType: 'ManagedApplicationConfiguration' });
  const response = { ApplicationConfigurations: [{ Identifier: 'com.okta.mobile', Configuration: {} }] };
  await device.report('Idle');
  await other.report('Acknowledged', uuid, response);
  expect(other.compared).toEqual([]);
  await device.report('Acknowledged', uuid, response);
  await device.report('Acknowledged', uuid, response);
  expect(device.compared).toEqual([device.id]);
});

test('a device that sends garbage without end fills no table', async () => {
  const device = await newDevice();
  const body = Buffer.alloc(200_000, 'x');
  for (let count = 0; count < 30; count += 1) await device.report('Acknowledged', randomUUID(), {}, body);
  const [saved] = await own.database.query(
    'select count(*)::int as rows, max(length(body)) as bytes from unparsed_responses where device_id = $1',
    [device.id],
  );
  expect(saved).toEqual({ rows: 20, bytes: 65_536 });
});

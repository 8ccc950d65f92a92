// The kept list is what the tables say, whatever changes them; and no page of it ever reads the fleet.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addLargeFleet, CAUSES, type LargeFleet } from '../../../test/harness/large-fleet.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/postgres.ts';
import { KeyRing } from '../../secrets/key-ring.ts';
import type { FleetFilter } from './fleet-filter.ts';
import { keyOf, planFleetPage, type FleetSort } from './fleet-list.ts';
import { listFleetPortion } from './fleet-portion.ts';

const DEVICES = 20_000;
/** As many ids lie before it as after it. */
const MIDDLE_ID = '80000000-0000-0000-0000-000000000000';
const SORTS: FleetSort[] = ['name', 'serialNumber', 'user', 'lastContact', 'certificateNotAfter', 'changed'];

let own: TestDatabase;
let fleet: LargeFleet;
let nanoMdm: string;
let folder: string;
beforeAll(async () => {
  own = await createTestDatabase();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-fleet-'));
  const ring = await KeyRing.open(path.join(folder, 'odette.key'), { create: true });
  fleet = await addLargeFleet(own.database, ring, DEVICES);
  const [channel] = await own.database.query<{ id: string }>(
    `select id from channels where kind = 'nanomdm'`,
  );
  nanoMdm = channel?.id ?? '';
});
afterAll(async () => {
  await own.drop();
  await rm(folder, { recursive: true });
});

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const FILTERS: Record<string, () => FleetFilter> = {
  nothing: () => ({}),
  'a bucket': () => ({ bucket: ['needs_you'] }),
  'the largest bucket': () => ({ bucket: ['trusted'] }),
  'a platform': () => ({ platform: ['iOS'] }),
  'the largest blueprint': () => ({ blueprintId: fleet.blueprints.slice(0, 1) }),
  'a small blueprint': () => ({ blueprintId: fleet.blueprints.slice(-1) }),
  'a phase': () => ({ phase: ['app'] }),
  'a cause of failure': () => ({ failureCode: [CAUSES[1] as 'mdm.profile_refused'] }),
  'an expiry': () => ({ certificateExpiresBefore: inDays(30) }),
  'a search': () => ({ search: 'Zoe-Mac-0' }),
  'a search for nothing': () => ({ search: 'nobody-is-called-so' }),
  'the own server': () => ({ channel: ['built_in'] }),
  'another server': () => ({ channel: [nanoMdm] }),
  'another server and a blueprint': () => ({
    channel: [nanoMdm.toUpperCase()],
    blueprintId: fleet.blueprints.slice(0, 1),
  }),
  'a truth that lacks': () => ({ lacks: ['managed'] }),
  'bucket, platform, blueprint and cause': () => ({
    bucket: ['needs_you', 'in_progress'],
    platform: ['macOS'],
    blueprintId: fleet.blueprints.slice(0, 3),
    failureCode: [CAUSES[0] as 'mdm.device_silent'],
  }),
};

/** Right, whatever they cost: what is broad at a million devices is few here. */
const MORE_FILTERS: typeof FILTERS = {
  ...FILTERS,
  'a short search': () => ({ search: 'z' }),
  'a search and an expiry': () => ({ search: 'c02', certificateExpiresBefore: inDays(90) }),
  'a search in a blueprint': () => ({ search: 'i', blueprintId: fleet.blueprints.slice(0, 2) }),
};

/** Each node of a plan, with the plans below it. */
interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Where a page begins: in the middle of each order; and after one of the many that have no certificate. */
const CURSORS: Record<FleetSort, () => string[]> = {
  name: () => ['m'],
  serialNumber: () => ['m'],
  user: () => ['m'],
  lastContact: () => [inDays(-1)],
  changed: () => [inDays(-1)],
  certificateNotAfter: () => [inDays(100), 'infinity'],
};

async function planOf(
  filter: FleetFilter,
  sort: FleetSort,
  order: 'asc' | 'desc',
  value: string,
): Promise<Plan[]> {
  const after = { value, id: MIDDLE_ID };
  const { text, values } = await planFleetPage(own.database, filter, { sort, order, after, limit: 51 });
  const [row] = await own.database.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (analyze, format json) ${text}`,
    values,
  );
  return row?.['QUERY PLAN'].flatMap((each) => nodesOf(each.Plan)) ?? [];
}

describe.each(Object.keys(FILTERS))('a page filtered by %s', (name) => {
  test.each(SORTS)('is read along an index when sorted by %s', async (sort) => {
    const pages = CURSORS[sort]().flatMap((value) => [['asc', value] as const, ['desc', value] as const]);
    for (const [order, value] of pages) {
      const plan = await planOf(FILTERS[name]?.() ?? {}, sort, order, value);
      const read = plan.filter((node) => node['Relation Name'] === 'fleet_list');
      expect(read.length).toBeGreaterThan(0);
      expect(read.map((node) => node['Node Type']).filter((type) => type === 'Seq Scan')).toEqual([]);
      // Few that a search or an expiry finds are sorted; else no more than a page of each segment is met.
      const rows = read.map(
        (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
      );
      expect(Math.max(...rows)).toBeLessThan(DEVICES / 5);
    }
  });
});

describe.each(Object.keys(MORE_FILTERS))('pages filtered by %s', (name) => {
  test.each(SORTS)(
    'are those of the whole fleet sorted by %s, found first or met on a walk',
    async (sort) => {
      const filter = MORE_FILTERS[name]?.() ?? {};
      const key = keyOf(sort);
      const ids = await listFleetPortion(own.database, filter, { limit: DEVICES * 2 });
      for (const order of ['asc', 'desc'] as const) {
        const all = await own.database.query<{ id: string; value: string }>(
          `select device_id as id, ${key}::text as value from fleet_list where device_id = any($1) order by ${key} ${order}, device_id ${order}`,
          [ids],
        );
        for (const start of [0, 120]) {
          const after = start === 0 ? undefined : all[start - 1];
          if (start > 0 && after === undefined) continue;
          for (const most of [undefined, { search: 0, expiry: 0 }]) {
            const page = { sort, order, after, limit: 51 };
            const { text, values } = await planFleetPage(own.database, filter, page, most);
            const rows = await own.database.query<{ deviceId: string }>(text, values);
            expect(rows.map((each) => each.deviceId)).toEqual(
              all.slice(start, start + 51).map(({ id }) => id),
            );
          }
        }
      }
    },
  );
});

describe('the kept list', () => {
  /** Rows that are kept and not so in the tables, or the other way round. */
  const unlike = async (): Promise<number> => {
    const [row] = await own.database.query<{ unlike: number }>(
      `with kept as (
         select list.device_id, segment.family, segment.bucket, segment.phase, segment.channel, list.blueprint_id, list.integration_id, list.failure_code,
                list.delivered, list.certificate_present, list.okta_verify_managed, list.registered, list.managed, list.name_key,
                list.serial_key, list.user_key, list.contact_at, list.certificate_not_after
           from fleet_list as list join fleet_segments as segment on segment.id = list.segment),
       seen as (
         select device_id, family, bucket, phase, channel, blueprint_id, integration_id, failure_code, delivered, certificate_present,
                okta_verify_managed, registered, managed, name_key, serial_key, user_key, contact_at, certificate_not_after
           from fleet_source)
       select (select count(*) from (select * from kept except select * from seen) as more)
            + (select count(*) from (select * from seen except select * from kept) as less) as unlike`,
    );
    return row?.unlike ?? -1;
  };
  const some = async (): Promise<string> =>
    (await listFleetPortion(own.database, { bucket: ['trusted'] }, { limit: 1 }))[0] ?? '';

  test.each([
    ['a device is renamed', `update devices set name = 'Renamed' where id = $1`],
    ['a device has no name any more', `update devices set name = null where id = $1`],
    [
      'a device has a name as long as a book',
      `update devices set name = repeat('Å long näme ', 2000) where id = $1`,
    ],
    ['its user changes', `update devices set user_name = 'New@acme.example' where id = $1`],
    ['it contacts Odette', `update devices set last_contact_at = now() where id = $1`],
    [
      'it comes to another MDM server',
      `update devices set channel_id = (select id from channels where kind = 'fleet') where id = $1`,
    ],
    ['it moves', `update devices set blueprint_id = null where id = $1`],
    [
      'it is in a phase that nobody was in',
      `update device_trust set phase = 'a new phase' where device_id = $1`,
    ],
    [
      'it fails',
      `update device_trust set bucket = 'needs_you', phase = 'needs_you', failure_code = 'mdm.device_silent' where device_id = $1`,
    ],
    [
      'it loses a truth',
      `update device_trust set managed = false, bucket = 'needs_user' where device_id = $1`,
    ],
    [
      'its certificate is renewed',
      `update device_trust set certificate_not_after = now() + interval '400 days' where device_id = $1`,
    ],
    ['nothing is known of its trust', `delete from device_trust where device_id = $1`],
    ['it is forgotten', `delete from devices where id = $1`],
  ])('is what the tables say after %s', async (_what, change) => {
    await own.database.query(change, [await some()]);
    expect(await unlike()).toBe(0);
  });

  test('two changes of one device at once are both kept', async () => {
    const id = await some();
    await Promise.all([
      own.database.inTransaction(async (sql) => {
        await sql.query(`update devices set name = 'At once' where id = $1`, [id]);
        await sql.query(`update device_trust set phase = 'app' where device_id = $1`, [id]);
      }),
      own.database.inTransaction(async (sql) => {
        await sql.query(`update device_trust set failure_code = 'mdm.device_silent' where device_id = $1`, [
          id,
        ]);
      }),
      own.database.query(`update devices set user_name = 'at.once@acme.example' where id = $1`, [id]),
    ]);
    expect(await unlike()).toBe(0);
  });

  test('a contact is no change, a new phase is', async () => {
    const id = await some();
    const changedAt = async () =>
      (
        await own.database.query<{ at: Date }>(
          'select changed_at as at from fleet_list where device_id = $1',
          [id],
        )
      )[0]?.at;
    const before = await changedAt();
    await own.database.query(
      `update devices set last_contact_at = now() + interval '5 minutes' where id = $1`,
      [id],
    );
    expect(await changedAt()).toEqual(before);
    await own.database.query(`update device_trust set phase = 'profiles' where device_id = $1`, [id]);
    expect(await changedAt()).not.toEqual(before);
  });

  test('blueprints know how many devices they have, whoever comes, moves and goes', async () => {
    const [from = '', to = ''] = fleet.blueprints.slice(20);
    await own.database.query('update devices set blueprint_id = $1 where blueprint_id = $2', [to, from]);
    const ids = await listFleetPortion(own.database, { blueprintId: [to] }, { limit: 3 });
    await own.database.query('delete from devices where id = any($1)', [ids]);
    const wrong = await own.database.query(
      `select name from blueprints where devices_in_blueprint(id) <> (select count(*) from devices where blueprint_id = blueprints.id)`,
    );
    expect(wrong).toEqual([]);
    expect(await unlike()).toBe(0);
  });
});

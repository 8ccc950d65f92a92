// What Okta's word on a device costs, as a fleet grows: a step of a rollout (which reads it), a page of the sweep, the end of a sweep.
// `npm run bench:okta-records`: each is measured in a small and in a large fleet, side by side, and told as a ratio; then whole sweeps of both:
// requests, time, statements, rows written, write-ahead log and memory, where nothing changed and where a hundredth did.
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { migrate } from '../../adapters/store/base/migrate.ts';
import { findOutdatedDevices, rematch } from '../../adapters/store/integration/okta-devices.ts';
import { findUnlisted } from '../../adapters/store/integration/okta-sweeps.ts';
import { refreshTrust } from '../../activities/refresh-trust.ts';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { addLargeFleet } from '../harness/large-fleet.ts';
import { measure, row, type Measured } from './measured.ts';
import { measureSweeps, type MeasuredSweep } from './okta-sweep.ts';
import { STATEMENT_SETTINGS } from './statement-counts.ts';

const SIZES = [1_000, Number(process.env['BENCH_DEVICES'] ?? 300_000)];
const PAGE = 200;
const TIMES = 20;

/** One record for each device, as Okta has them: an iPhone's without serial number. */
const RECORDS = `
  insert into okta_devices (integration_id, okta_id, platform, serial_number, udid, model, display_name, status, registered, users, created_at,
                            last_updated_at, observed_at, device_id, match)
  select $1, 'large' || substr(device.udid, 7), case platform when 'macOS' then 'MACOS' else 'IOS' end,
         case platform when 'macOS' then serial_number end, case platform when 'macOS' then udid end, model, coalesce(name, ''), 'ACTIVE', true,
         jsonb_build_array(jsonb_build_object('id', '00u' || substr(device.udid, 7), 'login', user_name, 'managementStatus', 'MANAGED')),
         date_trunc('milliseconds', now()) - interval '100 days', date_trunc('milliseconds', now()) - interval '2 days', now(), device.id, case platform when 'macOS' then 'serial_number' else 'user_and_model' end
    from devices as device where udid like 'LARGE-%'`;

const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-okta-records-'));
chmodSync(folder, 0o711);
const measured: Record<string, Measured>[] = [];
const sweeps: { devices: number; measured: readonly MeasuredSweep[] }[] = [];
for (const devices of SIZES) {
  const postgres = await startEmbeddedPostgres({
    folder: path.join(folder, String(devices)),
    isDurable: false,
    settings: { max_wal_size: '8GB', maintenance_work_mem: '256MB', ...STATEMENT_SETTINGS },
  });
  const database = connectDatabase(postgres.url, { max: 2, applicationName: 'bench', maxStatementMs: 0 });
  try {
    const { integrationId, times } = await measureFleet(database, devices);
    measured.push(times);
    sweeps.push({ devices, measured: await measureSweeps(database, integrationId) });
  } finally {
    await database.end();
    await postgres.stop();
  }
}
await rm(folder, { recursive: true, force: true });

const [small = {}, large = {}] = measured;
console.log(`\n${row('', [...SIZES.map((size) => `${size}`), 'ratio'])}   (median, ms)`);
for (const [name, { p50 }] of Object.entries(small)) {
  const grown = large[name]?.p50 ?? Number.NaN;
  console.log(row(name, [p50.toFixed(2), grown.toFixed(2), (grown / p50).toFixed(1)]));
}

for (const { devices, measured: each } of sweeps) {
  const heads = ['requests', 'seconds', 'statements', 'a device', 'rows', 'WAL kB', 'peak MB'];
  console.log(`\n${row(`sweep of ${devices}`, heads)}`);
  for (const sweep of each)
    console.log(
      row(sweep.name, [
        String(sweep.requests),
        sweep.seconds.toFixed(1),
        String(sweep.statements),
        (sweep.statements / devices).toFixed(2),
        String(sweep.rowsWritten),
        (sweep.walBytes / 1024).toFixed(0),
        (sweep.peakBytes / 1024 / 1024).toFixed(0),
      ]),
    );
}

async function measureFleet(
  database: Database,
  devices: number,
): Promise<{ integrationId: string; times: Record<string, Measured> }> {
  await migrate(database);
  const sealer = new KeyRing('bench', new Map([['bench', randomBytes(32)]]));
  const { integrationId } = await addLargeFleet(database, sealer, devices);
  await database.query(RECORDS, [integrationId]);
  await database.query(
    `insert into library_item_blueprints (blueprint_id, library_item_id)
       select blueprints.id, item.id from blueprints, (select id from library_items where integration_id = $1 and device_trust_on limit 1) as item
     on conflict do nothing`,
    [integrationId],
  );
  await database.query('vacuum analyze okta_devices, library_item_blueprints');
  const some = async (platform: string): Promise<{ id: string; oktaId: string; serialNumber: string }[]> =>
    database.query(
      `select device.id, okta_id, record.serial_number from okta_devices as record
         join devices as device on device.id = record.device_id
        where device.platform = $1 and okta_id like 'large%' limit $2`,
      [platform, PAGE],
    );
  const [macs, phones] = [await some('macOS'), await some('iOS')];
  const step = (device: { id: string } | undefined) =>
    database.inTransaction((sql) => refreshTrust(sql, device?.id ?? '', { now: new Date() }));
  const page = (records: typeof macs) =>
    database.inTransaction(async (sql) => {
      const seen = await sql.query<{
        id: string;
        platform: string;
        serialNumber: string | null;
        users: { id: string; login: string; managementStatus: string }[];
      }>('select okta_id as id, platform, serial_number, users from okta_devices where okta_id = any ($1)', [
        records.map(({ oktaId }) => oktaId),
      ]);
      await rematch(sql, integrationId, seen);
    });
  let turn = 0;
  const next = <T>(all: readonly T[]): T | undefined => all[(turn += 1) % all.length];
  const times = {
    'a step, Mac': await measure(TIMES, () => step(next(macs))),
    'a step, iPhone': await measure(TIMES, () => step(next(phones))),
    'a page of 200 Macs': await measure(TIMES, () => page(macs)),
    'a page of 200 iPhones': await measure(TIMES, () => page(phones)),
    'a look-up, Mac': await measure(TIMES, () => page(macs.slice(0, 1))),
    'a look-up, iPhone': await measure(TIMES, () => page(phones.slice(0, 1))),
    'the end: unseen': await measure(3, () =>
      findUnlisted(database, integrationId, new Date(Date.now() - 60_000), 25),
    ),
    'the end: outdated': await measure(3, () => findOutdatedDevices(database, integrationId)),
  };
  return { integrationId, times };
}

// A backup brought back where nothing was: devices that were enrolled before still get responses, nothing is issued again, and keys can be
// renewed and retired. Temporal is not there at all.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { SEALED_COLUMNS } from '../../adapters/store/base/reseal.ts';
import { createDeviceApp } from '../../api/mdm/device-app.ts';
import { identityAuthority } from '../../api/mdm/identity-authority.ts';
import { LongPolls } from '../../api/mdm/long-poll.ts';
import { channelClients } from '../../workers/channel-clients.ts';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { startDeviceListener, type DeviceListener } from '../harness/device-listener.ts';
import { ProtocolDevice } from '../harness/protocol-device.ts';

const ODETTE = fileURLToPath(new URL('../../cli/odette.mjs', import.meta.url));
const COMMAND = '6f1b0c52-5a0e-4c3e-9a52-2a4b8c5d7e90';

let folder: string;
let before: DeviceListener;
let device: ProtocolDevice;
let bare: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-backup-'));
  await chmod(folder, 0o711);
  before = await startDeviceListener();
  device = await ProtocolDevice.enroll(before.url, await before.newCode());
  await before.database.query(
    `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, sealed_body)
     select $1, id, enrollment_id, 'rollout/x', 'settings', 'ProfileList', $2 from devices`,
    [
      COMMAND,
      before.ring.seal(
        Buffer.from(`<plist><dict><key>CommandUUID</key><string>${COMMAND}</string></dict></plist>`),
        `command:${COMMAND}`,
      ),
    ],
  );
  bare = {
    PATH: process.env['PATH'],
    HOME: folder,
    TMPDIR: process.env['TMPDIR'],
    ODETTE_DATA_DIR: path.join(folder, 'bare'),
  };
});
afterAll(async () => {
  await before.stop();
  await rm(folder, { recursive: true, force: true });
});

function odette(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [ODETTE, ...args], { env: environment }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: out + err }),
    );
  });
}
const source = () => ({
  ...bare,
  ODETTE_DATA_DIR: folder,
  DATABASE_URL: before.databaseUrl,
  ODETTE_KEY_FILE: before.keyFile,
});

async function counts(database: Database) {
  const [row] = await database.query(
    `select (select count(*) from devices) as devices, (select count(*) from identity_certificates) as identities,
            (select count(*) from secrets) as secrets, (select count(*) from commands) as commands, (select count(*) from fleet_list) as listed,
            (select count(*) from audit_entries where action = 'secret.set') as made`,
  );
  return row;
}

/** The device listener over what lies in the restored data folder. */
async function inRestored(work: (url: string, database: Database) => Promise<void>): Promise<void> {
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'bare', 'postgres') });
  const database = connectDatabase(postgres.url, { max: 5 });
  const ring = await KeyRing.open(path.join(folder, 'bare', 'odette.key'), { create: false });
  const longPolls = LongPolls.start(database, { milliseconds: 0, max: 1 });
  const server = createServer(
    createDeviceApp({
      database,
      sealer: ring,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      authority: identityAuthority(database, ring),
      longPolls,
      compareConfiguration: () => Promise.resolve(undefined),
      channels: channelClients(database, ring, { allowedPrivateHosts: [] }),
      publicUrl: undefined,
      trustedProxy: undefined,
      trustsClientCert: false,
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, database);
  } finally {
    server.closeAllConnections();
    server.close();
    await longPolls.stop();
    await database.end();
    await postgres.stop();
  }
}

test('a device that was enrolled before gets its waiting command from the restored installation, and nothing is issued again', async () => {
  const backup = path.join(folder, 'backup');
  const expected = await counts(before.database);
  expect(await odette(source(), 'backup', backup)).toMatchObject({ code: 0 });
  for (const name of ['', 'database.ndjson.gz', 'odette.key'])
    expect((await stat(path.join(backup, name))).mode & 0o077).toBe(0);
  expect(await odette(bare, 'restore', backup)).toMatchObject({ code: 0 });
  await inRestored(async (url, database) => {
    expect(await counts(database)).toEqual(expected);
    const again = new ProtocolDevice(url, device.identity, device.udid);
    expect(await again.idle()).toBe(COMMAND);
    expect(await again.acknowledge(COMMAND, { ProfileList: [] })).toBeUndefined();
    expect(await counts(database)).toEqual(expected);
    // Triggers count on, and new rows get new numbers.
    await database.query(`insert into blueprints (name) values ('after')`);
    expect(await database.query('select count(*) as n from device_timeline')).toHaveLength(1);
  });
}, 120_000);

test('a backup goes into no folder that is there, and is restored over nothing', async () => {
  expect((await odette(source(), 'backup', folder)).code).toBe(1);
  const second = await odette(bare, 'restore', path.join(folder, 'backup'));
  expect([second.code, second.said]).toEqual([1, expect.stringContaining('A key file already exists')]);
  const other = { ...source(), ODETTE_KEY_FILE: path.join(folder, 'other.key') };
  const full = await odette(other, 'restore', path.join(folder, 'backup'));
  expect([full.code, full.said]).toEqual([1, expect.stringContaining('The database is not empty')]);
}, 120_000);

test('after renew everything opens under the new key, and after retire under it alone', async () => {
  const file = path.join(folder, 'bare', 'odette.key');
  const keys = async () =>
    JSON.parse(await readFile(file, 'utf8')) as { current: string; keys: Record<string, string> };
  const first = await keys();
  expect(await odette(bare, 'keys', 'renew')).toMatchObject({ code: 0 });
  const renewed = await keys();
  expect(renewed.current).not.toBe(first.current);
  expect(Object.keys(renewed.keys)).toHaveLength(2);
  expect(await odette(bare, 'keys', 'retire')).toMatchObject({ code: 0 });
  expect(Object.keys((await keys()).keys)).toEqual([renewed.current]);
  await inRestored(async (url, database) => {
    expect(await new ProtocolDevice(url, device.identity, device.udid).idle()).toBeUndefined();
    const sealed = await database.query<{ id: string; sealed: Buffer }>('select id, sealed from secrets');
    const ring = await KeyRing.open(file, { create: false });
    for (const row of sealed) expect(ring.open(row.sealed, `secret:${row.id}`).length).toBeGreaterThan(0);
  });
}, 120_000);

test('every column that holds something sealed is sealed anew', async () => {
  const columns = await before.database.query<{ table: string; column: string }>(
    `select table_name as table, column_name as column from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and column_name like 'sealed%' order by 1, 2`,
  );
  expect(
    [...SEALED_COLUMNS]
      .map(({ table, column }) => ({ table, column }))
      .sort((a, b) => a.table.localeCompare(b.table)),
  ).toEqual(columns);
});

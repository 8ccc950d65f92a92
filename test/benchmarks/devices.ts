// The device list over a million devices, through the real API: each order with each single filter, first page and deep page; then the
// counts, the CSV's start, what a write costs, and the page in a browser. `npm run bench:devices`; BENCH_FOLDER keeps the fleet.
import { chmodSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { planFleetPage } from '../../adapters/store/fleet/fleet-list.ts';
import { listFleetPortion } from '../../adapters/store/fleet/fleet-portion.ts';
import type { FleetFilter } from '../../adapters/store/fleet/fleet-filter.ts';
import { DEVICE_SORTS } from '../../api/contract/devices.ts';
import { writeCursor } from '../../api/http/cursors.ts';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { startEmbeddedTemporal } from '../../workers/embedded-temporal.ts';
import { freePort } from '../../workers/free-port.ts';
import { startNodeProcess } from '../../workers/node-process.ts';
import { addLargeFleet, CAUSES } from '../harness/large-fleet.ts';
import { costOf } from './process-costs.ts';
import { lookInBrowser } from './devices-in-browser.ts';
import { measure, quantile, row, type Measured } from './measured.ts';
import { measureWrites } from './fleet-writes.ts';

const DEVICES = Number(process.env['BENCH_DEVICES'] ?? 1_000_000);
const TIMES = Number(process.env['BENCH_TIMES'] ?? 8);
const LIMIT_MS = 100;
type DeviceSort = (typeof DEVICE_SORTS)[number];
/** Only for filling the tables: memory for reading stays as PostgreSQL has it. */
const FOR_FILLING = {
  max_wal_size: '8GB',
  maintenance_work_mem: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
};
const kept = process.env['BENCH_FOLDER'];
const folder =
  kept === undefined ? await mkdtemp(path.join(os.tmpdir(), 'odette-devices-')) : path.resolve(kept);
await mkdir(folder, { recursive: true });
chmodSync(folder, 0o711);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
const began = Date.now();
const say = (text: string): void =>
  console.log(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const stops: (() => Promise<unknown>)[] = [];
async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop().catch((error: unknown) => console.error(error));
}
try {
  const postgres = await startEmbeddedPostgres({
    folder: path.join(folder, 'postgres'),
    isDurable: false,
    settings: FOR_FILLING,
  });
  stops.push(() => postgres.stop());
  const temporal = await startEmbeddedTemporal({ program: await getTemporal(say), port: await freePort() });
  stops.push(() => temporal.stop());
  const listen = `127.0.0.1:${await freePort()}`;
  const data = path.join(folder, 'odette');
  const api = await startNodeProcess({
    name: 'api',
    program: 'workers/api-server',
    folder,
    environment: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal.address,
      ODETTE_DATA_DIR: data,
      ODETTE_ADMIN_LISTEN: listen,
      ODETTE_DEVICE_LISTEN: `127.0.0.1:${await freePort()}`,
      ODETTE_LOG_LEVEL: 'warn',
    },
  });
  stops.push(() => api.stop());
  const database = connectDatabase(postgres.url, { max: 2, applicationName: 'bench', maxStatementMs: 0 });
  stops.push(() => database.end());
  const ring = await KeyRing.open(path.join(data, 'odette.key'), { create: false });
  const [{ there } = { there: 0 }] = await database.query<{ there: number }>(
    'select count(*) as there from devices',
  );
  if (there < DEVICES) await addLargeFleet(database, ring, DEVICES);
  const [big = '', ...smaller] = (
    await database.query<{ id: string }>(
      'select id from blueprints where devices_in_blueprint(id) > 0 order by devices_in_blueprint(id) desc, id',
    )
  ).map(({ id }) => id);
  say(`${DEVICES} devices in ${smaller.length + 1} blueprints are in the tables.`);

  const [{ id: other } = { id: '' }] = await database.query<{ id: string }>(
    `select id from channels where kind = 'nanomdm'`,
  );

  const token = (await readFile(path.join(data, 'cli-token'), 'utf8')).trim();
  const get = async (at: string): Promise<string> => {
    const response = await fetch(`http://${listen}${at}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${at}: ${response.status} ${text.slice(0, 500)}`);
    return text;
  };
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const filters: Record<string, FleetFilter> = {
    'no filter': {},
    trusted: { bucket: ['trusted'] },
    'needs its user': { bucket: ['needs_user'] },
    'in progress': { bucket: ['in_progress'] },
    'needs you': { bucket: ['needs_you'] },
    macOS: { platform: ['macOS'] },
    iOS: { platform: ['iOS'] },
    'largest blueprint': { blueprintId: [big] },
    'a middling blueprint': { blueprintId: [smaller[20] ?? big] },
    'phase delivered': { phase: ['delivered'] },
    'phase app': { phase: ['app'] },
    'commonest failure': { failureCode: [CAUSES[0] as 'mdm.device_silent'] },
    'rarest failure': { failureCode: [CAUSES[3] as 'mdm.device_silent'] },
    "Odette's own server": { channel: ['built_in'] },
    'another server': { channel: [other] },
    'lacks managed': { lacks: ['managed'] },
    'ends in 1 day': { certificateExpiresBefore: inDays(1) },
    'ends in 30 days': { certificateExpiresBefore: inDays(30) },
    'ends in 180 days': { certificateExpiresBefore: inDays(180) },
    'search z': { search: 'z' },
    'search C02': { search: 'C02' },
    'search zoe-mac-01': { search: 'zoe-mac-01' },
    'search ada': { search: 'ada' },
    'search C02A1B2C3': { search: 'C02A1B2C3' },
    'search nothing': { search: 'nobody-is-called-so' },
  };

  console.log(row('filter', ['first p50', 'first p95', 'deep p50', 'deep p95', 'CPU', '  slowest order']));
  const all: Measured[] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const measured: { first: Measured; deep: Measured; order: string }[] = [];
    const cpu = { spent: 0, requests: 0 };
    const costing = async (at: string): Promise<Measured> => {
      const before = cpuOf([api.pid, postgres.pid]);
      const taken = await measure(TIMES, () => get(at));
      cpu.spent += cpuOf([api.pid, postgres.pid]) - before;
      cpu.requests += TIMES + 1;
      return taken;
    };
    const cursorOf = await deepCursors(filter);
    for (const sort of DEVICE_SORTS)
      for (const order of ['asc', 'desc'] as const) {
        const query = new URLSearchParams({ sort, order, limit: '50' });
        for (const [key, value] of Object.entries(filter))
          for (const each of [value as unknown].flat()) query.append(key, String(each));
        const first = await costing(`/api/devices?${query.toString()}`);
        const after = cursorOf(sort, order);
        if (after !== undefined) query.set('after', after);
        const deep = after === undefined ? first : await costing(`/api/devices?${query.toString()}`);
        measured.push({ first, deep, order: `${sort} ${order}` });
        all.push(first, deep);
      }
    const worst = measured.reduce((slow, each) =>
      Math.max(each.first.p95, each.deep.p95) > Math.max(slow.first.p95, slow.deep.p95) ? each : slow,
    );
    const over = (pick: (each: (typeof measured)[number]) => number, share: number) =>
      quantile(measured.map(pick), share).toFixed(1);
    console.log(
      row(name, [
        over(({ first }) => first.p50, 0.5),
        over(({ first }) => first.p95, 1),
        over(({ deep }) => deep.p50, 0.5),
        over(({ deep }) => deep.p95, 1),
        (cpu.spent / cpu.requests).toFixed(1),
        `  ${worst.order}`,
      ]),
    );
  }

  /** Of all processes: what a request costs whatever else the machine does. */
  function cpuOf(pids: readonly number[]): number {
    return pids.reduce((sum, pid) => sum + costOf(pid).cpuMs, 0);
  }

  /** A cursor about half way through what the filter finds, for each order: the median of devices taken by their random ids. */
  async function deepCursors(
    filter: FleetFilter,
  ): Promise<(sort: DeviceSort, order: string) => string | undefined> {
    const ids = await listFleetPortion(database, filter, { limit: 2_000 });
    const medians = new Map<string, string>();
    for (const sort of DEVICE_SORTS) {
      const { text, values } = await planFleetPage(database, { ids }, { sort, order: 'asc', limit: 2_000 });
      const [found] = await database.query<{ id: string; key: string }>(
        `with page as (${text}) select device_id as id, key::text as key from page offset $${values.length + 1} limit 1`,
        [...values, Math.floor(ids.length / 2)],
      );
      if (found)
        for (const order of ['asc', 'desc'])
          medians.set(`${sort} ${order}`, writeCursor([`${sort} ${order}`, found.key, found.id]));
    }
    return (sort, order) => medians.get(`${sort} ${order}`);
  }

  const others = {
    'four buckets (/api/totals)': () => get('/api/totals'),
    'status (/api/status)': () => get('/api/status'),
    'blueprints with counts': () => get('/api/blueprints'),
    'failures by cause': () => get('/api/rollouts/failures'),
    'renewals by day': () => get('/api/renewals/by-day?days=365'),
    ...Object.fromEntries(
      ['due', 'late', 'failed', 'unused'].map((state) => [
        `renewals ${state}`,
        () => get(`/api/renewals?state=${state}`),
      ]),
    ),
    "CSV's first rows": async () => {
      const stopped = new AbortController();
      const response = await fetch(`http://${listen}/api/devices/export`, {
        headers: { authorization: `Bearer ${token}` },
        signal: stopped.signal,
      });
      const reader = response.body?.getReader();
      for (let length = 0; length < 10_000;) length += (await reader?.read())?.value?.length ?? 10_000;
      stopped.abort();
    },
  };
  console.log(`\n${row('beside the list', ['p50', 'p95'])}`);
  for (const [name, ask] of Object.entries(others)) {
    const measured = await measure(TIMES * 3, ask);
    all.push(measured);
    console.log(row(name, [measured.p50.toFixed(1), measured.p95.toFixed(1)]));
  }
  console.log('');
  for (const line of await measureWrites(database)) console.log(line);
  console.log('');
  for (const line of await lookInBrowser(`http://${listen}`, token)) console.log(line);

  const late = all.filter(({ p95 }) => p95 > LIMIT_MS).length;
  const p95 = quantile(
    all.flatMap(({ times }) => times),
    0.95,
  );
  say(
    late === 0
      ? `Holds: p95 of each of ${all.length} requests is under ${LIMIT_MS} ms; of all together it is ${p95.toFixed(1)} ms.`
      : `Does not hold: p95 of ${late} of ${all.length} requests is over ${LIMIT_MS} ms; of all together it is ${p95.toFixed(1)} ms.`,
  );
  process.exitCode = late === 0 ? 0 : 1;
} finally {
  await stopAll();
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

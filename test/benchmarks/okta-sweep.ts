// What a whole sweep of Okta's records costs: the activities as the workflow calls them, with a tenant in memory that counts its requests.
import { performance } from 'node:perf_hooks';
import { trustActivities } from '../../activities/trust.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import type { SeenOktaDevice } from '../../adapters/store/integration/okta-devices.ts';
import { countStatements, listStatements, resetStatements } from './statement-counts.ts';

export interface MeasuredSweep {
  readonly name: string;
  readonly requests: number;
  readonly seconds: number;
  readonly statements: number;
  /** Row versions in all tables, of users and of the sweep itself. */
  readonly rowsWritten: number;
  readonly walBytes: number;
  /** Of this process. */
  readonly peakBytes: number;
}

const PAGE = 200;
const CHANGED_SHARE = 0.01;
/** Of a look at the process's memory. */
const LOOK_MS = 50;

type Kept = Omit<SeenOktaDevice, 'created' | 'lastUpdated'> & {
  created: string;
  lastUpdated: string;
};

export async function measureSweeps(database: Database, integrationId: string): Promise<MeasuredSweep[]> {
  await countStatements(database);
  const records = await readRecords(database, integrationId);
  let requests = 0;
  const tenant = {
    token: () => Promise.resolve({ scopes: [] }),
    listDevices: (next?: string, updatedAfter?: Date) => {
      requests += 1;
      const listed =
        updatedAfter === undefined
          ? records
          : records.filter(({ lastUpdated }) => Date.parse(lastUpdated) > updatedAfter.getTime());
      const start = Number(next ?? 0);
      const end = start + PAGE;
      return Promise.resolve({
        devices: listed.slice(start, end),
        ...(end < listed.length && { next: String(end) }),
      });
    },
    confirm: (ids: readonly string[]) => {
      // Each by id, with its users.
      requests += 2 * ids.length;
      const asked = new Set(ids);
      const present = records.filter(({ id }) => asked.has(id));
      const known = new Set(present.map(({ id }) => id));
      return Promise.resolve({ present, gone: ids.filter((id) => !known.has(id)) });
    },
  };
  const trust = trustActivities({ database, oktaClient: () => Promise.resolve(tenant) } as never);
  async function sweep(): Promise<void> {
    const beganAtMs = Date.now();
    let next: string | null = null;
    do ({ next } = await trust.observeOktaPage({ integrationId, next, nowMs: Date.now() }));
    while (next !== null);
    await trust.concludeObservation({ integrationId, beganAtMs, nowMs: Date.now() });
  }
  async function measured(name: string): Promise<MeasuredSweep> {
    await resetStatements(database);
    const before = { requests, ...(await readWrites(database)) };
    let peakBytes = 0;
    const look = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), LOOK_MS);
    const began = performance.now();
    await sweep();
    const seconds = (performance.now() - began) / 1000;
    clearInterval(look);
    const statements = (await listStatements(database)).reduce((all, { calls }) => all + calls, 0);
    const after = await readWrites(database);
    return {
      name,
      requests: requests - before.requests,
      seconds,
      statements,
      rowsWritten: after.rows - before.rows,
      walBytes: after.walBytes - before.walBytes,
      peakBytes,
    };
  }
  const change = (): void => {
    const every = Math.round(1 / CHANGED_SHARE);
    for (const [place, record] of records.entries())
      if (place % every === 0)
        records[place] = {
          ...record,
          osVersion: `26.${process.hrtime.bigint()}`,
          lastUpdated: new Date().toISOString(),
        };
  };
  const whole = () => database.query(`update okta_reads set whole_at = now() - interval '2 days'`);

  // The first one has everything to match.
  await sweep();
  await whole();
  const unchanged = await measured('whole, nothing changed');
  change();
  await whole();
  const some = await measured('whole, a hundredth changed');
  // Those of the hour before are listed once more: a large tenant's usual sweep.
  const usual = await measured('the usual one after it');
  return [unchanged, some, usual];
}

const readRecords = (database: Database, integrationId: string): Promise<Kept[]> =>
  database.query<Kept>(
    `select okta_id as id, platform, serial_number, udid, model, os_version, display_name, status, registered, users,
            to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created,
            to_char(last_updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_updated
       from okta_devices where integration_id = $1 order by okta_id`,
    [integrationId],
  );

async function readWrites(database: Database): Promise<{ rows: number; walBytes: number }> {
  await database.query('select pg_stat_force_next_flush()');
  const [row] = await database.query<{ rows: number; walBytes: number }>(
    `select (select sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 from pg_stat_user_tables) as rows,
            pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal_bytes`,
  );
  return row ?? { rows: 0, walBytes: 0 };
}

// The state of each endpoint of an integration's tenant, one for all processes, and the devices that wait for one.
import { LANES as OUTBOX_LANES } from '../../../domain/lanes.ts';
import {
  LANES,
  type CHALLENGE_ENDPOINT,
  newEndpoint,
  type EndpointState,
  type EndpointStore,
  type Landing,
  type Lane,
} from '../../../domain/okta-budget.ts';
import { CataloguedError } from '../../../domain/failures.ts';
import type { Database, Sql } from '../base/database.ts';
import { OUTBOX_CHANNEL } from '../base/outbox.ts';

/** So long the end of an answered request waits for another request to begin in the same statement. */
const LAND_WITHIN_MS = 25;

/** What this process saw last of the endpoints of one integration, and its changes of them, one after the other: of several the first would win. */
export class SeenEndpoints {
  readonly #seen = new Map<string, EndpointRow & { readonly at: number }>();
  readonly #changes = new Map<string, Promise<unknown>>();
  /** Not written yet. */
  readonly #landed = new Map<string, readonly Landing[]>();

  /** As it is now, unless another process has changed it: who writes by it is told. */
  last(endpoint: string): EndpointRow | undefined {
    const seen = this.#seen.get(endpoint);
    return seen && { state: seen.state, nowMs: seen.nowMs + performance.now() - seen.at };
  }

  note(endpoint: string, row: EndpointRow | undefined): void {
    if (row === undefined) this.#seen.delete(endpoint);
    else this.#seen.set(endpoint, { ...row, at: performance.now() });
  }

  landed(endpoint: string): readonly Landing[] {
    return this.#landed.get(endpoint) ?? [];
  }

  land(endpoint: string, landing: Landing): void {
    this.#landed.set(endpoint, [...this.landed(endpoint), landing]);
  }

  /** @param landed the first of them */
  written(endpoint: string, landed: readonly Landing[]): void {
    this.#landed.set(endpoint, this.landed(endpoint).slice(landed.length));
  }

  async inTurn<T>(endpoint: string, change: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(endpoint);
    const changed = (async () => {
      await before?.catch(() => undefined);
      return change();
    })();
    this.#changes.set(endpoint, changed);
    return changed;
  }
}

/**
 * @param secretId with which requests are made: none begins once a rotation has replaced it
 * @param seen of this process for this integration
 */
export const endpointStore = (
  database: Database,
  integrationId: string,
  secretId: string,
  seen = new SeenEndpoints(),
): EndpointStore => {
  const change: EndpointStore['change'] = (endpoint, version, decide) =>
    seen.inTurn(endpoint, async () => {
      // Nobody waits for another process between look and write: who finds another state than it saw decides anew, and somebody got through.
      for (let last = seen.last(endpoint); ; last = undefined) {
        const found = last ?? (await readEndpoint(database, integrationId, endpoint));
        if (found === undefined) {
          await insertEndpoint(database, integrationId, endpoint, version);
          continue;
        }
        const landed = seen.landed(endpoint);
        const before = landed.reduce((known, landing) => landing(known, found.nowMs), found.state);
        const { state, result, beginsRequest } = decide(before, found.nowMs);
        if (state === found.state) {
          seen.note(endpoint, found);
          if (last === undefined) return result;
          continue;
        }
        const written = await replaceState(database, {
          integrationId,
          endpoint,
          before: found.state,
          after: state,
          ...(beginsRequest === true && { secretId }),
        });
        seen.note(endpoint, written.is === 'replaced' ? { state, nowMs: written.nowMs } : undefined);
        if (written.is === 'secret_replaced') throw new CataloguedError('secrets.replaced');
        if (written.is === 'changed_meanwhile') continue;
        seen.written(endpoint, landed);
        return result;
      }
    });
  return {
    change,
    land(endpoint, version, landing) {
      if (seen.landed(endpoint).length === 0)
        setTimeout(() => {
          if (seen.landed(endpoint).length === 0) return;
          // Where the database is away, the next change writes them.
          change(endpoint, version, (state) => ({ state, result: undefined })).catch(() => undefined);
        }, LAND_WITHIN_MS);
      seen.land(endpoint, landing);
    },
  };
};

interface EndpointRow {
  readonly state: EndpointState;
  readonly nowMs: number;
}

async function readEndpoint(
  sql: Sql,
  integrationId: string,
  endpoint: string,
): Promise<EndpointRow | undefined> {
  const [row] = await sql.query<EndpointRow>(
    `select state, (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms
       from okta_endpoints where integration_id = $1 and endpoint = $2`,
    [integrationId, endpoint],
  );
  return row;
}

const insertEndpoint = async (
  sql: Sql,
  integrationId: string,
  endpoint: string,
  version: string,
): Promise<void> =>
  void (await sql.query(
    `insert into okta_endpoints (integration_id, endpoint, state) values ($1, $2, $3) on conflict do nothing`,
    [integrationId, endpoint, newEndpoint(version)],
  ));

interface Replacement {
  readonly integrationId: string;
  readonly endpoint: string;
  readonly before: EndpointState;
  readonly after: EndpointState;
  /** Only while it is in use; a rotation's commit waits for this statement, or this one for the commit. */
  readonly secretId?: string;
}

/** `changed_meanwhile`: the state is not `before` any more. */
async function replaceState(
  sql: Sql,
  { integrationId, endpoint, before, after, secretId }: Replacement,
): Promise<{ readonly is: 'replaced' | 'changed_meanwhile' | 'secret_replaced'; readonly nowMs: number }> {
  const [row] = await sql.query<{ isReplaced: boolean; isInUse: boolean; nowMs: number }>(
    `with of_platform as materialized (select from integration_platforms where secret_id = $5 for share),
     of_integration as materialized (select from integrations where credentials_secret_id = $5 for share),
     used as materialized (
       select $5::uuid is null or (select count(*) from of_platform) > 0 or (select count(*) from of_integration) > 0 as in_use),
     replaced as (
       update okta_endpoints set state = $4, closed_until = to_timestamp($6::float8 / 1000),
              opened_at = case when closed_until is not null and $6 is null then clock_timestamp() else opened_at end
         from used
        where used.in_use and integration_id = $1 and endpoint = $2 and state = $3
       returning 1)
     select exists (select from replaced) as is_replaced, in_use as is_in_use,
            (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms from used`,
    [integrationId, endpoint, before, after, secretId ?? null, after.closed?.untilMs ?? null],
  );
  const nowMs = row?.nowMs ?? Number.NaN;
  if (row?.isReplaced === true) return { is: 'replaced', nowMs };
  return { is: row?.isInUse === false ? 'secret_replaced' : 'changed_meanwhile', nowMs };
}

/** A person changed what was refused: the next request is a canary, and it is due now. */
export async function reopenEndpoints(
  sql: Sql,
  integrationId: string,
  which: 'all' | typeof CHALLENGE_ENDPOINT,
): Promise<void> {
  await sql.query(
    `update okta_endpoints set closed_until = now(),
            state = jsonb_set(state, '{closed,untilMs}', to_jsonb((extract(epoch from now()) * 1000)::bigint))
      where integration_id = $1 and ($2 = 'all' or endpoint = $2) and closed_until > now()`,
    [integrationId, which],
  );
}

export async function waitForEndpoint(
  sql: Sql,
  waiter: {
    readonly deviceId: string;
    readonly integrationId: string;
    readonly endpoint: string;
    readonly lane: Lane;
  },
): Promise<void> {
  await sql.query(
    `insert into okta_waiters (device_id, integration_id, endpoint, lane) values ($1, $2, $3, $4)
     on conflict (device_id) do update set integration_id = excluded.integration_id, endpoint = excluded.endpoint, lane = excluded.lane`,
    [waiter.deviceId, waiter.integrationId, waiter.endpoint, LANES.indexOf(waiter.lane)],
  );
}

/** Everybody who waited is awake within so many seconds after the endpoint opened. */
const WAKE_WITHIN_SECONDS = 45;
/** A second, of each endpoint: a fleet that is larger takes longer. */
const MAX_WOKEN = 60;
const MIN_WOKEN = 5;
/** While Okta may still refuse: one is let through, and the first may be asleep. */
const CANARIES = 2;

/**
 * Wakes the certificate workflows that wait for an endpoint which is open again, the urgent ones first, spread over less than a minute;
 * of one that is half-open a few. Call it once a second, from as many processes as you like. Returns how many.
 */
export async function wakeWaiters(sql: Sql): Promise<number> {
  const rows = await sql.query<{ woken: number }>(
    `with counted as (
       select integration_id, endpoint, count(*)::int as waiting from okta_waiters group by 1, 2),
     turns as (
       select counted.integration_id, counted.endpoint,
              case when endpoint.closed_until is not null then ${CANARIES}
                   else least(${MAX_WOKEN}, greatest(${MIN_WOKEN}, ceil(counted.waiting / greatest(1,
                          ${WAKE_WITHIN_SECONDS} - extract(epoch from now() - endpoint.opened_at))))) end::int as size
         from counted left join okta_endpoints as endpoint using (integration_id, endpoint)
        where endpoint.closed_until is null or endpoint.closed_until <= now()),
     chosen as (
       select waiter.device_id, waiter.integration_id from turns
         cross join lateral (
           select device_id, integration_id from okta_waiters
            where integration_id = turns.integration_id and endpoint = turns.endpoint
            order by lane, since limit turns.size for update skip locked) as waiter),
     gone as (delete from okta_waiters where device_id in (select device_id from chosen)),
     put as (
       insert into outbox (ordering_key, lane, message)
       select device_id::text, ${OUTBOX_LANES.device}, jsonb_build_object('kind', 'keepCertificate', 'deviceId', device_id, 'signal', 'certificateWanted',
                'body', jsonb_build_object('integrationId', integration_id)) from chosen
       returning 1),
     told as (select pg_notify('${OUTBOX_CHANNEL}', '') where exists (select from put))
     select (select count(*) from put)::int as woken, (select count(*) from told) as told`,
  );
  return rows[0]?.woken ?? 0;
}

// The one door to PostgreSQL: queries, transactions and notifications, with the types this project expects.
import pg from 'pg';
import { CataloguedError } from '../../../domain/failures.ts';
import { Announcements } from './announcements.ts';
import { NotificationListener } from './notification-listener.ts';
import { StatementNames } from './statement-names.ts';

/**
 * Values: a `Date` becomes timestamptz, a `Buffer` bytea, a plain object JSON, an array a PostgreSQL array (`any($1)`).
 * A JSON *array* for a jsonb column must therefore be given as `JSON.stringify(array)`.
 * Rows: a column `failure_code` comes as property `failureCode`; int8 and count(*) come as numbers (an unsafe one throws), timestamptz as `Date`, bytea as `Buffer`, numeric as string.
 */
export interface Sql {
  /**
   * @throws CataloguedError `store.unavailable` when the database cannot be reached or is going away;
   * any other failure is the `pg.DatabaseError` itself (`code`, `constraint`)
   */
  query<Row extends object = object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Database extends Sql {
  /** Commits when `work` resolves, rolls back when it throws. Never repeats `work`. */
  inTransaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** One connection for all of `work`, outside a transaction; closed afterwards, and with it the locks of its session. */
  inSession<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Listens for NOTIFY on a channel through one connection of its own that reconnects by itself. After a reconnection `onNotify('')` is called
   * once: something may have been missed. Resolves with a function that stops listening.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /**
   * Tells who listens of what was committed: soon, and not at all if this process ends before. Only for who also looks from time to time, and
   * where many commits at once must not wait for each other.
   */
  announce(channel: string, payload: string): void;
  end(): Promise<void>;
}

const INT8 = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return readInt8;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/** A statement takes milliseconds; one that takes so long stands behind something that hangs. */
const MAX_STATEMENT_MS = 60_000;
/** The server ends a statement itself; only one that is gone without a word is not waited for longer. */
const SILENT_SERVER_MS = 5000;

/**
 * @param options.max how many connections at most (10); one more is used once something listens
 * @param options.preparesStatements for a process that asks the same things all day: PostgreSQL keeps what it has parsed. One whose lists
 * are filtered over a whole fleet wants a plan for each filter instead.
 * @param options.maxStatementMs after it a statement is ended as `store.unavailable` (a minute); 0: it may take as long as it likes
 */
export function connectDatabase(
  url: string,
  options: {
    readonly max?: number;
    readonly applicationName?: string;
    readonly maxStatementMs?: number;
    readonly preparesStatements?: boolean;
  } = {},
): Database {
  const timeoutMs = options.maxStatementMs ?? MAX_STATEMENT_MS;
  const config = {
    connectionString: url,
    application_name: options.applicationName ?? 'odette',
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs === 0 ? 0 : timeoutMs + SILENT_SERVER_MS,
    types,
    // What is asked all day by keys needs one plan: by itself PostgreSQL would make the first five of each connection anew.
    ...(options.preparesStatements === true && { options: '-c plan_cache_mode=force_generic_plan' }),
  };
  const pool = new pg.Pool({
    ...config,
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
    // A process that hangs inside a transaction must not hold its locks for ever.
    idle_in_transaction_session_timeout: 60_000,
  });
  // A connection that breaks is replaced at the next query. Without a listener of its own the process would end: the pool takes its away
  // when it hands a connection out, and the server's last word may come with the one before, when nobody else listens yet.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const listener = new NotificationListener(() => new pg.Client(config));
  const names = options.preparesStatements === true ? new StatementNames() : undefined;
  const sqlOf = (client: pg.Pool | pg.PoolClient): Sql => ({
    query: (text, values) => run(client, text, values, names?.nameOf(text)),
  });

  const sql = sqlOf(pool);
  const announcements = new Announcements((waiting) =>
    sql.query(
      'select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as told (channel, payload)',
      [waiting.map(({ channel }) => channel), waiting.map(({ payload }) => payload)],
    ),
  );

  return {
    ...sql,
    async inTransaction(work) {
      const client = await pool.connect().catch(rethrow);
      let isBroken = false;
      const broke = () => {
        isBroken = true;
      };
      try {
        await run(client, 'begin');
        const result = await work(sqlOf(client));
        await run(client, 'commit');
        return result;
      } catch (error) {
        // Behind a statement that was given up a rollback would wait for the same silence.
        if (isGivenUp(error)) broke();
        else await client.query('rollback').catch(broke);
        throw error;
      } finally {
        client.release(isBroken);
      }
    },
    async inSession(work) {
      const client = await pool.connect().catch(rethrow);
      try {
        return await work(sqlOf(client));
      } finally {
        client.release(true);
      }
    },
    listen: (channel, onNotify) => listener.listen(channel, onNotify).catch(rethrow),
    announce: (channel, payload) => announcements.tell(channel, payload),
    async end() {
      await announcements.settled();
      await listener.end();
      await pool.end();
    },
  };
}

async function run<Row extends object>(
  client: pg.Pool | pg.PoolClient,
  text: string,
  values?: readonly unknown[],
  name?: string,
): Promise<Row[]> {
  const result = await client
    .query<Record<string, unknown>>({
      text,
      values: values as unknown[],
      ...(name !== undefined && { name }),
    })
    .catch(rethrow);
  // Several statements in one text have several results; nobody reads their rows.
  return Array.isArray(result) ? [] : (withPropertyNames(result) as Row[]);
}

function withPropertyNames({ fields, rows }: pg.QueryResult<Record<string, unknown>>): object[] {
  if (rows.length === 0 || !fields.some(({ name }) => name.includes('_'))) return rows;
  const names = fields.map(({ name }) => [name, propertyOf(name)] as const);
  return rows.map((row) => {
    const named: Record<string, unknown> = {};
    for (const [column, property] of names) named[property] = row[column];
    return named;
  });
}

const propertyOf = (column: string): string =>
  column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function readInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number`);
  return value;
}

// PostgreSQL's own codes for "not now" (class 08 connection, 53 resources, 57014 took too long, 57P0x shutdown) and Node's for a connection that is not there.
const UNAVAILABLE =
  /^(08|53|57014|57P0)|^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;
const BROKEN =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;
const GIVEN_UP = 'Query read timeout';

const isGivenUp = (error: unknown): boolean =>
  error instanceof CataloguedError && error.cause instanceof Error && error.cause.message === GIVEN_UP;

function rethrow(error: unknown): never {
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (UNAVAILABLE.test(code) || BROKEN.test(error.message) || error.message === GIVEN_UP)
      throw new CataloguedError('store.unavailable', { cause: error });
  }
  throw error;
}

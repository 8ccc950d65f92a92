// How many statements PostgreSQL has carried out, and which: pg_stat_statements, loaded by STATEMENT_SETTINGS.
import type { Database } from '../../adapters/store/base/database.ts';

export const STATEMENT_SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  // Statements of triggers' functions are part of the statement that woke them.
  'pg_stat_statements.track': 'top',
  'pg_stat_statements.max': '10000',
};

export interface StatementCount {
  readonly text: string;
  readonly calls: number;
  readonly milliseconds: number;
}

export const countStatements = (database: Database): Promise<unknown> =>
  database.query('create extension if not exists pg_stat_statements');

export const resetStatements = (database: Database): Promise<unknown> =>
  database.query('select pg_stat_statements_reset()');

/** The most frequent first; transaction control counts, for each of it is a round trip. */
export const listStatements = (database: Database): Promise<StatementCount[]> =>
  database.query<StatementCount>(
    `select query as text, sum(calls)::int as calls, sum(total_exec_time) as milliseconds
       from pg_stat_statements join pg_database on pg_database.oid = dbid
      where datname = current_database() and query not like '%pg_stat_statements%' and query not like '%as measured%'
      group by query order by calls desc, text`,
  );

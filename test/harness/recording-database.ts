// A database that notes what it is asked: each statement, and `begin` where a transaction begins.
import type { Database } from '../../adapters/store/base/database.ts';

/** Statements within a transaction are not noted. */
export const recordingDatabase = (database: Database, statements: string[]): Database => ({
  ...database,
  query: (text, values) => {
    statements.push(text);
    return database.query(text, values);
  },
  inTransaction: (work) => {
    statements.push('begin');
    return database.inTransaction(work);
  },
});

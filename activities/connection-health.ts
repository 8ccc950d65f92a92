// Notes how each connection of an integration goes, where it is used: its settings show it, and what lasts raises an alarm.
import type { Database } from '../adapters/store/base/database.ts';
import { recordHealth, type Connection } from '../adapters/store/integration/integrations.ts';
import { CataloguedError } from '../domain/failures.ts';

/** A success that this process noted a moment ago is not noted again. */
const NOTED_FOR_MS = 5_000;
/** Until when, by `performance.now()`. */
const noted = new WeakMap<Database, Map<string, number>>();

export async function recordingHealth<T>(
  database: Database,
  integrationId: string,
  connection: Connection,
  work: () => Promise<T>,
): Promise<T> {
  const until = noted.get(database) ?? new Map<string, number>();
  noted.set(database, until);
  const key = `${integrationId}/${connection}`;
  try {
    const done = await work();
    if ((until.get(key) ?? 0) < performance.now()) {
      await recordHealth(database, integrationId, connection, undefined);
      until.set(key, performance.now() + NOTED_FOR_MS);
    }
    return done;
  } catch (error) {
    if (error instanceof CataloguedError) {
      until.delete(key);
      await recordHealth(database, integrationId, connection, error.code);
    }
    throw error;
  }
}

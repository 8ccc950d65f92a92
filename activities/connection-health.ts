// Notes how each connection of an integration goes, where it is used: its settings show it, and what lasts raises an alarm.
import type { Database } from '../adapters/store/base/database.ts';
import { recordHealth, type Connection } from '../adapters/store/integration/integrations.ts';
import { CataloguedError } from '../domain/failures.ts';

export async function recordingHealth<T>(
  database: Database,
  integrationId: string,
  connection: Connection,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const done = await work();
    await recordHealth(database, integrationId, connection, undefined);
    return done;
  } catch (error) {
    if (error instanceof CataloguedError) await recordHealth(database, integrationId, connection, error.code);
    throw error;
  }
}

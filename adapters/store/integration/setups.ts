// Setups as the admin sees them: the wizard's workflow writes its state here after each step.
import type { SetupState } from '../../../domain/setup-wizard.ts';
import type { Sql } from '../base/database.ts';

export interface SetupRow {
  readonly id: string;
  readonly state: SetupState;
  readonly startedBy: string;
  readonly startedAt: Date;
  readonly changedAt: Date;
  readonly finishedAt: Date | null;
}

const COLUMNS = `id, state, started_by, started_at, changed_at, finished_at`;

/** True if it is new. */
export async function addSetup(sql: Sql, state: SetupState, startedBy: string): Promise<boolean> {
  const rows = await sql.query(
    `insert into setups (id, integration_id, step, status, state, started_by) values ($1, $2, $3, $4, $5::jsonb, $6)
     on conflict (id) do nothing returning 1`,
    [state.setupId, state.integrationId ?? null, state.step, state.status, JSON.stringify(state), startedBy],
  );
  return rows.length > 0;
}

/** false: it is over (or was never begun), and stays as it ended. */
export async function saveSetup(sql: Sql, state: SetupState): Promise<boolean> {
  const rows = await sql.query(
    `update setups set integration_id = $2, step = $3, status = $4, state = $5::jsonb, changed_at = now(),
       finished_at = case when $4 = 'open' then null else coalesce(finished_at, now()) end
      where id = $1 and status = 'open' returning 1`,
    [state.setupId, state.integrationId ?? null, state.step, state.status, JSON.stringify(state)],
  );
  return rows.length > 0;
}

/** Who gives an answer, before it is sent: the workflow is not asked. */
export async function recordAnswerer(
  sql: Sql,
  setupId: string,
  answerId: string,
  actor: string,
): Promise<void> {
  await sql.query(
    'insert into setup_answers (setup_id, answer_id, actor) values ($1, $2, $3) on conflict do nothing',
    [setupId, answerId, actor],
  );
}

export async function findAnswerer(sql: Sql, setupId: string, answerId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ actor: string }>(
    'select actor from setup_answers where setup_id = $1 and answer_id = $2',
    [setupId, answerId],
  );
  return row?.actor;
}

/** While a check of an answer runs; the state that is saved after it says so no more. */
export async function markChecking(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `update setups set state = jsonb_set(state, '{checking}', 'true') where id = $1 and status = 'open'`,
    [id],
  );
}

export async function findSetup(sql: Sql, id: string): Promise<SetupRow | undefined> {
  const [row] = await sql.query<SetupRow>(`select ${COLUMNS} from setups where id = $1`, [id]);
  return row;
}

export const listSetups = (sql: Sql, status: SetupState['status'] | undefined): Promise<SetupRow[]> =>
  sql.query<SetupRow>(
    `select ${COLUMNS} from setups where $1::text is null or status = $1 order by started_at desc limit 200`,
    [status ?? null],
  );

/** Only for a setup whose workflow could not be started. */
export async function removeSetup(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from setups where id = $1', [id]);
}

// Rotations of secrets: begun, tried, committed, and the old value destroyed; each change in one transaction.
import { CHALLENGE_ENDPOINT, TOKEN_ENDPOINT } from '../../../domain/okta-budget.ts';
import type { RotatedSecret, RotationStatus } from '../../../domain/secret-rotation.ts';
import { appendAudit } from '../base/audit.ts';
import type { Sql } from '../base/database.ts';
import { CAN_BE_TAKEN_BACK } from '../devices/command-states.ts';

export interface RotationRow {
  readonly id: string;
  readonly integrationId: string;
  readonly kind: RotatedSecret;
  readonly status: RotationStatus;
  readonly newSecretId: string | null;
  readonly oldSecretId: string | null;
  readonly publicJwk: Readonly<Record<string, string>> | null;
  readonly failureCode: string | null;
  readonly drainedAt: Date | null;
  readonly fleetRolloutId: string | null;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly committedAt: Date | null;
  readonly committedBy: string | null;
  readonly oldDestroyedAt: Date | null;
  readonly provenAt: Date | null;
  readonly provenBy: string | null;
  readonly endedAt: Date | null;
}

const COLUMNS = `id, integration_id, kind, status, new_secret_id, old_secret_id,
  public_jwk, failure_code, drained_at, fleet_rollout_id,
  started_at, started_by, committed_at, committed_by,
  old_destroyed_at, proven_at, proven_by, ended_at`;

/** Undefined: one of this secret is under way. */
export async function addRotation(
  sql: Sql,
  rotation: Pick<RotationRow, 'integrationId' | 'kind' | 'status' | 'oldSecretId' | 'publicJwk'> & {
    readonly newSecretId: string;
    readonly by: string;
  },
): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    `insert into secret_rotations (integration_id, kind, status, new_secret_id, old_secret_id, public_jwk, started_by)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (integration_id, kind) where ended_at is null do nothing returning id`,
    [
      rotation.integrationId,
      rotation.kind,
      rotation.status,
      rotation.newSecretId,
      rotation.oldSecretId,
      rotation.publicJwk,
      rotation.by,
    ],
  );
  return row?.id;
}

export async function findRotation(sql: Sql, id: string): Promise<RotationRow | undefined> {
  const [row] = await sql.query<RotationRow>(`select ${COLUMNS} from secret_rotations where id = $1`, [id]);
  return row;
}

export async function lockRotation(sql: Sql, id: string): Promise<RotationRow | undefined> {
  const [row] = await sql.query<RotationRow>(
    `select ${COLUMNS} from secret_rotations where id = $1 for update`,
    [id],
  );
  return row;
}

/** The newest twenty. */
export const listRotations = (sql: Sql, integrationId: string): Promise<RotationRow[]> =>
  sql.query<RotationRow>(
    `select ${COLUMNS} from secret_rotations where integration_id = $1 order by started_at desc limit 20`,
    [integrationId],
  );

/** Of a locked one. What has ended keeps no secret that is not in use. */
export async function setRotationStatus(
  sql: Sql,
  id: string,
  status: RotationStatus,
  change: { readonly failureCode?: string | null; readonly by?: string } = {},
): Promise<void> {
  const isOver = status === 'finished' || status === 'refused' || status === 'abandoned';
  await sql.query(
    `update secret_rotations set status = $2, failure_code = case when $3 then $4 else failure_code end,
            committed_by = coalesce($5, committed_by), ended_at = case when $6 then now() else ended_at end
      where id = $1`,
    [id, status, change.failureCode !== undefined, change.failureCode ?? null, change.by ?? null, isOver],
  );
  if (status === 'refused' || status === 'abandoned')
    await sql.query(
      'delete from secrets where id = (select new_secret_id from secret_rotations where id = $1)',
      [id],
    );
}

/** To which endpoint of Okta the value is sent; the iOS key is sent to devices alone. */
const ENDPOINTS: Readonly<Record<RotatedSecret, string | null>> = {
  client_secret: TOKEN_ENDPOINT,
  private_key: TOKEN_ENDPOINT,
  challenge_password: CHALLENGE_ENDPOINT,
  ios_secret_key: null,
};

/** Rows that name the secret in use: an integration's credentials, or a platform. */
export async function switchSecret(sql: Sql, rotation: RotationRow): Promise<void> {
  const { id, integrationId, kind, newSecretId, oldSecretId } = rotation;
  if (kind === 'client_secret' || kind === 'private_key')
    await sql.query(
      'update integrations set credentials_secret_id = $2, changed_at = now() where id = $1 and credentials_secret_id = $3',
      [integrationId, newSecretId, oldSecretId],
    );
  else
    await sql.query(
      `update integration_platforms set secret_id = $2, changed_at = now()
        where integration_id = $1 and platform = $4 and secret_id = $3`,
      [integrationId, newSecretId, oldSecretId, kind === 'ios_secret_key' ? 'iOS' : 'macOS'],
    );
  if (kind === 'ios_secret_key') await withdrawOldKeys(sql, integrationId);
  // From here on no request with the old value begins (okta-endpoints.ts); those that have begun end by themselves.
  await sql.query(
    `update secret_rotations set committed_at = clock_timestamp(), drained_at = (
       select to_timestamp(max((flight ->> 'endsAtMs')::float8) / 1000)
         from okta_endpoints as endpoint cross join lateral jsonb_array_elements(endpoint.state -> 'flights') as flight
        where endpoint.integration_id = $2 and endpoint.endpoint = $3)
      where id = $1`,
    [id, integrationId, ENDPOINTS[kind]],
  );
}

/** Commands with the old key that no device has taken yet: their rollouts plan again when they are told of the change. */
async function withdrawOldKeys(sql: Sql, integrationId: string): Promise<void> {
  await sql.query(
    `update commands set state = 'withdrawn', sealed_body = null
       from device_scope as scope
      where scope.device_id = commands.device_id and scope.integration_id = $1 and scope.platform = 'iOS' and not hands_over_once
        and sealed_body is not null and ${CAN_BE_TAKEN_BACK}`,
    [integrationId],
  );
}

/** Devices whose rollout failed because Okta refused the challenge password. */
export async function findRefusedDevices(sql: Sql, integrationId: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select device_id as id from device_trust
      where integration_id = $1 and failure_code = 'okta.challenge_credentials_refused'`,
    [integrationId],
  );
  return rows.map(({ id }) => id);
}

/** Whether requests with the old value have ended. */
export async function isDrained(sql: Sql, id: string): Promise<boolean> {
  const [row] = await sql.query<{ drained: boolean }>(
    'select coalesce(drained_at <= clock_timestamp(), true) as drained from secret_rotations where id = $1',
    [id],
  );
  return row?.drained ?? true;
}

/** The value is gone for good; a setup that was begun with it asks for it again. */
export async function destroyOldSecret(sql: Sql, { id, oldSecretId }: RotationRow): Promise<void> {
  await sql.query('delete from secrets where id = $1', [oldSecretId]);
  await sql.query('update secret_rotations set old_destroyed_at = now() where id = $1', [id]);
  await appendAudit(sql, {
    actor: 'system',
    action: 'secret.destroyed',
    subject: `secret:${oldSecretId ?? ''}`,
    detail: { rotation: id },
  });
}

export async function setRotationFleet(sql: Sql, id: string, fleetRolloutId: string | null): Promise<void> {
  await sql.query('update secret_rotations set fleet_rollout_id = $2 where id = $1', [id, fleetRolloutId]);
}

/** A device with the new key of which Okta has written "managed" since the commit; undefined: none yet. */
export async function findFirstSignIn(sql: Sql, rotation: RotationRow): Promise<string | undefined> {
  const [row] = await sql.query<{ name: string }>(
    `select coalesce(record.display_name, device.name, device.serial_number, 'a device') as name
       from fleet_rollout_devices as member
       join devices as device on device.id = member.device_id
       join okta_devices as record on record.device_id = member.device_id and record.integration_id = $2
      where member.fleet_rollout_id = $1 and member.state = 'completed' and record.last_updated_at > member.settled_at
        and record.users @> '[{"managementStatus": "MANAGED"}]'
      order by record.last_updated_at limit 1`,
    [rotation.fleetRolloutId, rotation.integrationId],
  );
  return row?.name;
}

export async function recordProof(sql: Sql, id: string, device: string): Promise<void> {
  await sql.query('update secret_rotations set proven_at = now(), proven_by = $2 where id = $1', [
    id,
    device,
  ]);
}

/** Locked against a rotation's commit until the transaction ends. */
export async function isSecretInUse(sql: Sql, secretId: string): Promise<boolean> {
  const platforms = await sql.query('select 1 from integration_platforms where secret_id = $1 for share', [
    secretId,
  ]);
  if (platforms.length > 0) return true;
  return (
    (await sql.query('select 1 from integrations where credentials_secret_id = $1 for share', [secretId]))
      .length > 0
  );
}

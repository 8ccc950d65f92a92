// Enrollment codes as an admin sees them: made, listed, revoked. Their use: enrollments.ts.
import type { Platform } from '../../../domain/device.ts';
import type { Sql } from '../base/database.ts';

export interface EnrollmentCodeRow {
  readonly id: string;
  readonly blueprintId: string;
  readonly user: string | null;
  readonly forUdid: string | null;
  readonly maxUses: number;
  readonly uses: number;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly platforms: readonly Platform[];
  readonly createdBy: string;
  readonly createdAt: Date;
}

const COLUMNS = `id, blueprint_id, user_name as "user", for_udid, max_uses, uses, platforms,
  expires_at, revoked_at, created_by, created_at`;

export const listEnrollmentCodes = (sql: Sql, blueprintId: string): Promise<EnrollmentCodeRow[]> =>
  sql.query<EnrollmentCodeRow>(
    `select ${COLUMNS} from enrollment_codes where blueprint_id = $1 order by created_at desc limit 500`,
    [blueprintId],
  );

export async function addEnrollmentCode(
  sql: Sql,
  code: {
    readonly blueprintId: string;
    readonly codeHash: Buffer;
    readonly user: string | null;
    readonly forUdid: string | null;
    readonly maxUses: number;
    readonly expiresInHours: number;
    readonly createdBy: string;
    readonly personId: string | undefined;
    readonly platforms: readonly Platform[];
  },
): Promise<EnrollmentCodeRow | undefined> {
  const [row] = await sql.query<EnrollmentCodeRow>(
    `insert into enrollment_codes (blueprint_id, code_hash, user_name, for_udid, max_uses, expires_at, created_by, person_id, platforms)
     values ($1, $2, $3, $4, $5, now() + make_interval(hours => $6), $7, $8, $9) returning ${COLUMNS}`,
    [
      code.blueprintId,
      code.codeHash,
      code.user,
      code.forUdid,
      code.maxUses,
      code.expiresInHours,
      code.createdBy,
      code.personId ?? null,
      code.platforms,
    ],
  );
  return row;
}

/** Those that came from a person who is disabled. */
export async function revokeCodesOf(sql: Sql, personId: string): Promise<void> {
  await sql.query(
    'update enrollment_codes set revoked_at = now() where person_id = $1 and revoked_at is null',
    [personId],
  );
}

export async function revokeEnrollmentCode(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql.query(
    'update enrollment_codes set revoked_at = coalesce(revoked_at, now()) where id = $1 returning 1',
    [id],
  );
  return rows.length > 0;
}

// How far a new installation is on its way to its first trusted device.
import type { Sql } from '../base/database.ts';

export interface OnboardingProgress {
  /** A library item is switched on for a blueprint. */
  readonly hasItem: boolean;
  readonly hasCode: boolean;
  readonly hasDevice: boolean;
  readonly hasTrusted: boolean;
}

export async function findProgress(sql: Sql): Promise<OnboardingProgress> {
  const [row] = await sql.query<OnboardingProgress>(
    `select exists (select from library_items as item join library_item_blueprints as assigned on assigned.library_item_id = item.id
                     where item.device_trust_on) as has_item,
            exists (select from enrollment_codes) or exists (select from devices) as has_code,
            exists (select from devices where enrolled_at is not null) as has_device,
            exists (select from device_trust where bucket = 'trusted') as has_trusted`,
  );
  return row ?? { hasItem: false, hasCode: false, hasDevice: false, hasTrusted: false };
}

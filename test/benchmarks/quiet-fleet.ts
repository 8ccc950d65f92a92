// A fleet that has been there for long: copies by SQL of one device that went the whole way, with all its rows. Nobody answers for them.
import type { Database } from '../../adapters/store/base/database.ts';

/** Of version 4, as the API asks of ids. */
const ID = `overlay(overlay(md5('quiet ' || place) placing '4' from 13) placing '8' from 17)::uuid`;

/** What makes a copy another device, as a jsonb value of `place` (1 … copies) and `original`, the row that is copied. */
const COPIES: Readonly<Record<string, string>> = {
  devices: `jsonb_build_object('id', ${ID}, 'udid', 'QUIET-' || place, 'serial_number', 'QUIET' || place,
    'enrollment_id', gen_random_uuid(), 'name', 'quiet-' || place, 'user_name', 'quiet-' || place || '@example.com',
    'identity_fingerprint', sha256(convert_to('quiet ' || place, 'UTF8')))`,
  device_trust: `jsonb_build_object('device_id', ${ID})`,
  device_truths: `jsonb_build_object('device_id', ${ID})`,
  device_timeline: `jsonb_build_object('device_id', ${ID})`,
  reported_inventory: `jsonb_build_object('device_id', ${ID})`,
  sent_profiles: `jsonb_build_object('device_id', ${ID}, 'payload_uuid', gen_random_uuid())`,
  commands: `jsonb_build_object('device_id', ${ID}, 'uuid', gen_random_uuid())`,
  certificate_deliveries: `jsonb_build_object('device_id', ${ID}, 'id', original.id || '-' || place, 'serial_number', md5('quiet' || place))`,
  licenses: `jsonb_build_object('device_id', ${ID})`,
  rollout_runs: `jsonb_build_object('device_id', ${ID}, 'run_id', original.run_id || '-' || place)`,
  okta_devices: `jsonb_build_object('device_id', ${ID}, 'okta_id', original.okta_id || '-' || place, 'udid', 'QUIET-' || place,
    'serial_number', 'QUIET' || place)`,
  fleet_list: `jsonb_build_object('device_id', ${ID}, 'name_key', 'quiet-' || place, 'serial_key', 'quiet' || place,
    'user_key', 'quiet-' || place || '@example.com')`,
};

/**
 * @param trust an SQL expression of jsonb: what their `device_trust` holds instead of the model's
 * @throws Error where no device has that user
 */
export async function addQuietFleet(
  database: Database,
  { modelUser, copies, trust = `'{}'::jsonb` }: { modelUser: string; copies: number; trust?: string },
): Promise<void> {
  const [model] = await database.query<{ id: string }>('select id from devices where user_name = $1', [
    modelUser,
  ]);
  if (!model) throw new Error(`no device of ${modelUser}`);
  await database.inTransaction(async (sql) => {
    // Triggers row by row are for the product; a large fleet is filled in as a whole.
    await sql.query('set local session_replication_role = replica');
    for (const [table, differences] of Object.entries(COPIES))
      await sql.query(
        `insert into ${table} overriding user value
           select copied.* from ${table} as original
            cross join generate_series(1, $1::bigint) as place
            cross join lateral jsonb_populate_record(null::${table}, to_jsonb(original) || ${differences} || ${table === 'device_trust' ? trust : `'{}'::jsonb`}) as copied
            where original.${table === 'devices' ? 'id' : 'device_id'} = $2`,
        [copies, model.id],
      );
    await sql.query('delete from blueprint_devices');
    await sql.query(
      `insert into blueprint_devices
         select blueprint_id, 0, count(*) from devices where blueprint_id is not null group by blueprint_id`,
    );
  });
  for (const table of Object.keys(COPIES)) await database.query(`vacuum analyze ${table}`);
}

// What keeping the device list costs a write: the same changes with its triggers and without.
import { performance } from 'node:perf_hooks';
import type { Database } from '../../adapters/store/base/database.ts';

const WRITES = 400;
const CHANGES = {
  'a contact of a device': `update devices set last_contact_at = last_contact_at + interval '1 second' where id = $1`,
  'a contact a minute later': `update devices set last_contact_at = last_contact_at + interval '61 seconds' where id = $1`,
  "a rollout's next phase": `update device_trust set phase = case phase when 'app' then 'profiles' else 'app' end, changed_at = now() where device_id = $1`,
  'a look that changes nothing': `update device_trust set verified_at = now(), changed_at = now() where device_id = $1`,
};

export async function measureWrites(database: Database): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select device_id as id from device_trust where bucket = 'in_progress' limit ${WRITES}`,
  );
  const lines: string[] = [];
  for (const [name, change] of Object.entries(CHANGES)) {
    const perWrite = async (): Promise<number> => {
      const began = performance.now();
      for (const { id } of rows) await database.query(change, [id]);
      return (performance.now() - began) / rows.length;
    };
    await perWrite();
    const with_ = await perWrite();
    for (const table of ['devices', 'device_trust'])
      await database.query(`alter table ${table} disable trigger user`);
    const without = await perWrite();
    for (const table of ['devices', 'device_trust'])
      await database.query(`alter table ${table} enable trigger user`);
    lines.push(`${name}: ${with_.toFixed(2)} ms, without triggers ${without.toFixed(2)} ms`);
  }
  return lines;
}

// The doctor over the API: one device, and the devices of the fleet that are not trusted, page by page.
import { z } from 'zod';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findFleetRow, listFleet } from '../../adapters/store/fleet/fleet.ts';
import { readDoctorFacts } from '../../adapters/store/rollout/doctor-facts.ts';
import { DOCTOR_CAUSES } from '../../domain/doctor-causes.ts';
import { diagnose } from '../../domain/doctor.ts';
import type { doctor } from '../contract/doctor.ts';
import { pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { notFound } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

const EXAMINED = ['in_progress', 'needs_user', 'needs_you', 'unreachable'] as const;
const nameCursor = z.tuple([z.string().max(500), z.uuid()]);

export function doctorHandlers(): Handlers<typeof doctor> {
  return {
    examineDevice: async ({ sql, params }) => {
      if (!(await findFleetRow(sql, params.id))) throw notFound('device');
      return { items: await examine(sql, params.id) };
    },

    examineFleet: async ({ sql, query }) => {
      const [value, id] = readCursor(nameCursor, query.after) ?? [];
      const after = value !== undefined && id !== undefined ? { value, id } : undefined;
      const rows = await listFleet(
        sql,
        { bucket: [...EXAMINED] },
        { sort: 'name', order: 'asc', after, limit: query.limit + 1 },
      );
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.sortValue, last.id]));
      const items = [];
      for (const { id: deviceId, name, serialNumber, user, bucket } of shown)
        items.push({
          device: { id: deviceId, name, serialNumber, user, bucket },
          diagnoses: await examine(sql, deviceId),
        });
      return { items, next };
    },
  };
}

async function examine(sql: Sql, deviceId: string) {
  const examined = await readDoctorFacts(sql, deviceId, new Date());
  if (examined === undefined) return [];
  return diagnose(examined.facts).map(({ cause, evidence, action }) => {
    const { title, remedy, owner } = DOCTOR_CAUSES[cause];
    const user = action === 'take_user_over' ? (examined.finding.user ?? null) : null;
    return { cause, title, evidence, remedy, owner, action, user };
  });
}

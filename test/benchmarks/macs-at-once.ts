// What benchmarks of rollouts share: Macs that do at once what they are told, and a blueprint that is switched on for all of its devices at once.
import type { Database } from '../../adapters/store/base/database.ts';
import type { ApiClient } from '../../api/contract/client.ts';
import { eventually, type World } from '../harness/world.ts';

/** Its user is `NAME@example.com`. */
export const addAwakeMac = (world: World, name: string): Promise<unknown> =>
  world.manage('POST', '/devices', {
    family: 'Mac',
    name,
    user: { login: `${name}@example.com` },
    knobs: { downloadSeconds: 0, signInSeconds: 0 },
  });

/** `PREFIX-0` and so on. */
export async function addAwakeMacs(world: World, prefix: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await addAwakeMac(world, `${prefix}-${index}`);
}

/** Users sign in within a moment here. */
export const lookSoonAtOkta = (odette: ApiClient, integrationId: string): Promise<unknown> =>
  odette.call('patch /api/integrations/{id}', {
    params: { id: integrationId },
    body: { settings: { trustLookupSeconds: [1, 2, 4, 8, 15, 30, 60, 120, 300] } },
  });

/** A change of more than twenty devices begins with a few, and goes on when those are well: here all of them begin at once. */
export async function switchOn(odette: ApiClient, integrationId: string, blueprintId: string): Promise<void> {
  await odette.call('post /api/library-items', {
    body: {
      integrationId,
      deviceTrustOn: true,
      confirmAppConfigurationOverride: true,
      blueprintIds: [blueprintId],
    },
  });
  const { items } = await odette.call('get /api/fleet-rollouts');
  for (const { id } of items.filter(({ status }) => status === 'running'))
    await odette.call('post /api/fleet-rollouts/{id}/orders', {
      params: { id },
      body: { order: 'all_at_once' },
    });
}

/**
 * One look at the totals, which quiet copies are not part of: a list of the API or a count over a large fleet, again and again, would be part of what
 * is measured.
 */
export async function trustedNow(database: Database): Promise<number> {
  const [trusted] = await database.query<{ measured: number }>(
    `select coalesce(sum(value), 0)::float8 as measured from fleet_totals where name = 'bucket:trusted'`,
  );
  return trusted?.measured ?? 0;
}

export async function untilTrusted(database: Database, count: number): Promise<void> {
  await eventually(
    () => trustedNow(database),
    (trusted) => trusted >= count,
    { withinMs: 15 * 60_000, what: `${count} devices trusted` },
  );
}

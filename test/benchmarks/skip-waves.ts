// A change of more than twenty devices begins with a few, and goes on when those are well: here all of them begin at once.
import type { ApiClient } from '../../api/contract/client.ts';

export async function skipWaves(odette: ApiClient): Promise<void> {
  const { items } = await odette.call('get /api/fleet-rollouts');
  for (const { id } of items.filter(({ status }) => status === 'running'))
    await odette.call('post /api/fleet-rollouts/{id}/orders', {
      params: { id },
      body: { order: 'all_at_once' },
    });
}

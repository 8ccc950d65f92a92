import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../test/harness/rollout-world.ts';

quietRuntime();
let world: RolloutWorld;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [], removalDelayMinutes: 0.01 });
});
afterAll(() => world.close());

describe('a rollout', () => {
  test('brings a new Mac from enrolled to everything on the device, with one push until delivered', async () => {
    const mac = await world.newDevice('Mac');
    await world.rollOut(mac.id);
    expect(await world.ended(mac.id)).toBe('COMPLETED');
    expect(await world.truths(mac.id)).toEqual({
      delivered: 'held',
      certificatePresent: 'held',
      oktaVerifyManaged: 'held',
      registered: 'not_held',
      managed: 'not_held',
    });
    expect(await world.trust(mac.id)).toMatchObject({ bucket: 'waiting_for_sign_in', phase: 'delivered' });
    expect(mac.certificates).toHaveLength(1);
    expect(
      [...mac.profiles.keys()].map((identifier) => identifier.split('.').slice(3).join('.')).sort(),
    ).toEqual(['certificate.a', 'settings', 'sso']);
    console.log(mac.carriedOut.join(' '), 'pushes', mac.pushes);
  });
});

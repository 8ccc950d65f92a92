// The owners' half: each device gets a code of its own, with its user's name, and enrolls on Odette's public page.
import type { PlayedDevice } from './sandbox-api.ts';
import type { Stage } from './set-up.ts';

/** At once; more would only wait for the same processor. */
const TOGETHER = 3;

export async function enrollDevices(stage: Stage, blueprintId: string): Promise<void> {
  const { sandbox, odette, narrator } = stage;
  const all = await sandbox.devices();
  const waiting = all.filter((device) => !device.isEnrolled);
  if (waiting.length < all.length) narrator.say(`${all.length - waiting.length} devices: enrolled already`);
  const url = (await odette.call('get /api/status')).addresses.publicUrl;
  if (url === null) throw new Error('Odette has no public URL: ODETTE_PUBLIC_URL is not set');
  const enrollNext = async (): Promise<void> => {
    for (let device = waiting.shift(); device; device = waiting.shift())
      await enrollOne(stage, blueprintId, url, device);
  };
  await Promise.all(Array.from({ length: TOGETHER }, enrollNext));
}

async function enrollOne(
  stage: Stage,
  blueprintId: string,
  url: string,
  device: PlayedDevice,
): Promise<void> {
  const { code } = await stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
    params: { id: blueprintId },
    body: { user: device.user.login, maxUses: 1, expiresInHours: 1 },
  });
  await stage.sandbox.enroll(device.name, url, code);
  stage.narrator.say(`${device.name} enrolled (${device.family}, ${device.user.login})`);
}

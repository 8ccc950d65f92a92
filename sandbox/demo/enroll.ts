// The owners' half: each device gets a code of its own, with its user's name, and enrolls on Odette's public page.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlayedDevice } from './sandbox-api.ts';
import type { Stage } from './set-up.ts';

/** At once; more would only wait for the same processor. */
const TOGETHER = 3;
const ATTEMPTS = 5;
const WAIT_MS = 2000;

export async function enrollDevices(stage: Stage, blueprintId: string): Promise<void> {
  const { sandbox, odette, progress } = stage;
  const all = await sandbox.devices();
  const waiting = all.filter((device) => !device.isEnrolled);
  if (waiting.length < all.length) progress.print(`${all.length - waiting.length} devices: enrolled already`);
  const url = (await odette.call('get /api/status')).addresses.publicUrl;
  if (url === null) throw new Error('Odette has no public URL: ODETTE_PUBLIC_URL is not set');
  const enrollNext = async (): Promise<void> => {
    for (let device = waiting.shift(); device; device = waiting.shift())
      await enrollOne(stage, blueprintId, url, device);
  };
  await Promise.all(Array.from({ length: TOGETHER }, enrollNext));
}

/** A code is good for one profile: when enrolling fails half-way, the admin makes another. */
async function enrollOne(
  stage: Stage,
  blueprintId: string,
  url: string,
  device: PlayedDevice,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { code } = await stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
      params: { id: blueprintId },
      body: { user: device.user.login, maxUses: 1, expiresInHours: 1 },
    });
    try {
      await stage.sandbox.enroll(device.name, url, code);
      break;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      stage.progress.print(
        `${device.name}: ${error instanceof Error ? error.message : String(error)}; another code`,
      );
      await sleep(WAIT_MS);
    }
  }
  stage.progress.print(`${device.name} enrolled (${device.family}, ${device.user.login})`);
}

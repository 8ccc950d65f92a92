// The sandbox's devices by their names, as scenarios look at them: on the sandbox, and in Odette's list.
import { expect } from 'vitest';
import { devicesOf, type KnownDevice, type TrustedWorld } from './stage.ts';
import { eventually, type World } from './world.ts';

export interface PretendDevice {
  readonly family: 'Mac' | 'iPhone' | 'Other';
  readonly hardware: { readonly udid: string; readonly serialNumber: string };
  readonly keychain: { isMdmIdentity: boolean; hasPrivateKey: boolean; serialNumber: string }[];
  readonly profiles: { isManaged: boolean; uuid: string }[];
  readonly apps: { bundleId: string; status?: string; configuration: object | null }[];
  readonly counts: Record<string, number>;
  readonly log: { message: string; status?: string }[];
}

export const onSandbox = (world: World, name: string): Promise<PretendDevice> =>
  world.manage('GET', `/devices/${name}`);

/** Those that Okta's authority gave it. */
export const certificatesOf = (device: PretendDevice) =>
  device.keychain.filter((item) => item.hasPrivateKey && !item.isMdmIdentity);
export const managedProfilesOf = (device: PretendDevice) =>
  device.profiles.filter(({ isManaged }) => isManaged);

/** Enrolls it for NAME@example.com, with a code of its own. */
export async function enroll(
  world: World,
  { stage, blueprintId }: TrustedWorld,
  name: string,
  { erase = false, forDeviceId }: { readonly erase?: boolean; readonly forDeviceId?: string } = {},
): Promise<void> {
  const { code } = await stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
    params: { id: blueprintId },
    body: { user: `${name}@example.com`, maxUses: 1, expiresInHours: 1, ...(forDeviceId && { forDeviceId }) },
  });
  const url = world.environment['ODETTE_PUBLIC_URL'];
  await world.manage('POST', `/devices/${name}/enroll`, { url, code, erase });
}

export async function known(trusted: TrustedWorld, name: string): Promise<KnownDevice> {
  const found = (await devicesOf(trusted)).find(({ user }) => user === `${name}@example.com`);
  if (!found) throw new Error(`${name} is not known yet`);
  return found;
}

export const untilKnown = (
  trusted: TrustedWorld,
  name: string,
  what: string,
  holds: (device: KnownDevice) => boolean,
  withinMs: number,
): Promise<KnownDevice> =>
  eventually(() => known(trusted, name), holds, { withinMs, everyMs: 500, what: `${name}: ${what}` });

/** A Mac that got everything, once. */
export function expectWholeMac(name: string, device: PretendDevice): void {
  expect(certificatesOf(device), `certificates of ${name}`).toHaveLength(1);
  expect(managedProfilesOf(device)).toHaveLength(3);
  expect(device.counts['appInstalledAgain'] ?? 0).toBe(0);
}

// The devices of a sandbox that nobody described: three Macs, one more whose user does not sign in by himself, two iPhones, an iPad.
import type { Fleet, NewDevice } from './devices/fleet.ts';

export const DEFAULT_FLEET: readonly NewDevice[] = [
  { family: 'Mac', name: 'mac-ada', user: { login: 'ada@example.com' } },
  // Many simulators, and some servers' own tests, sign this way.
  { family: 'Mac', name: 'mac-ben', user: { login: 'ben@example.com' }, signature: 'attributes-sha256' },
  { family: 'Mac', name: 'mac-cleo', user: { login: 'cleo@example.com' } },
  { family: 'Mac', name: 'mac-dora', user: { login: 'dora@example.com', signsIn: 'manual' } },
  { family: 'iPhone', name: 'iphone-ada', user: { login: 'ada@example.com' } },
  // Bought by its user: not supervised, so that Apple asks before it installs an app.
  { family: 'iPhone', name: 'iphone-ben', user: { login: 'ben@example.com' }, isSupervised: false },
  { family: 'iPad', name: 'ipad-cleo', user: { login: 'cleo@example.com' } },
];

/** Adds the devices of the default fleet that are not there yet. */
export async function addDefaultFleet(fleet: Fleet): Promise<void> {
  for (const device of DEFAULT_FLEET) {
    if (device.name !== undefined && !fleet.get(device.name)) await fleet.add(device);
  }
}

// All pretend devices: made, kept on disk, found by push token, woken.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PushDirectory, PushTarget } from '../apns/push-service.ts';
import type { MovableClock } from '../clock.ts';
import type { DeviceFamily } from '../../domain/device.ts';
import type { HoldPoints } from '../hold-points.ts';
import { StateFile } from '../state-file.ts';
import type { LicenseDesk } from './device-context.ts';
import type { DeviceKnobs, DeviceState, DeviceUser, Hardware } from './device-state.ts';
import { DEFAULT_KNOBS } from './device-state.ts';
import { PretendDevice } from './device.ts';
import { newHardware } from './hardware.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Network } from './network.ts';

export interface FleetOptions {
  readonly folder: string;
  readonly clock: MovableClock;
  readonly network: Network;
  readonly keys: DeviceKeys;
  readonly licenses: LicenseDesk;
  readonly holds: HoldPoints;
}

export interface NewDevice {
  readonly family: DeviceFamily;
  /** Letters, digits and dashes; made up when absent. */
  readonly name?: string;
  readonly user?: Partial<DeviceUser>;
  readonly isSupervised?: boolean;
  readonly signature?: DeviceState['signature'];
  readonly hardware?: Partial<Hardware>;
  readonly knobs?: Partial<DeviceKnobs>;
}

export class Fleet implements PushDirectory {
  readonly #options: FleetOptions;
  readonly #devices = new Map<string, PretendDevice>();
  /** Called when a device can be reached again, with its push token. */
  onReachable: ((token: string) => void) | undefined;

  private constructor(options: FleetOptions) {
    this.#options = options;
    options.clock.onMove(() => {
      for (const device of this.#devices.values()) device.look();
    });
  }

  static async open(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(options.folder)) {
      if (!name.endsWith('.json')) continue;
      const state = await new StateFile<DeviceState>(join(options.folder, name)).read();
      if (state) fleet.#keep({ ...state, knobs: { ...DEFAULT_KNOBS, ...state.knobs } });
    }
    return fleet;
  }

  /** Starts what the last stop interrupted. */
  resume(): void {
    for (const device of this.#devices.values()) device.resume();
  }

  list(): PretendDevice[] {
    return [...this.#devices.values()].sort((one, other) => one.state.name.localeCompare(other.state.name));
  }

  get(name: string): PretendDevice | undefined {
    return this.#devices.get(name);
  }

  /** @throws Error when there is a device of that name, or the name would not do for a file. */
  async add(wanted: NewDevice): Promise<PretendDevice> {
    const nth = this.list().filter((device) => device.state.family === wanted.family).length;
    const name = wanted.name ?? this.#freeName(wanted.family);
    if (!/^[a-z0-9][a-z0-9-]{0,60}$/.test(name))
      throw new Error('a name has small letters, digits and dashes');
    if (this.#devices.has(name)) throw new Error(`there is a device named ${name}`);
    const device = this.#keep({
      name,
      family: wanted.family,
      hardware: newHardware(wanted.family, name, wanted.hardware ?? {}, nth),
      isSupervised: wanted.isSupervised ?? true,
      user: { login: `${name}@example.com`, signsIn: 'auto', ...wanted.user },
      signature: wanted.signature ?? 'no-attributes-sha1',
      power: 'awake',
      knobs: { ...DEFAULT_KNOBS, ...wanted.knobs },
      formerTokens: [],
      profiles: [],
      keychain: [],
      apps: [],
      oktaVerify: { signIns: [] },
      counts: {},
      log: [],
    });
    await device.setPower('awake');
    return device;
  }

  async remove(name: string): Promise<boolean> {
    const device = this.#devices.get(name);
    if (!device) return false;
    await device.close();
    this.#devices.delete(name);
    await rm(join(this.#options.folder, `${name}.json`), { force: true });
    return true;
  }

  /** Opens the lid; APNs delivers what it kept. A device that was switched off asks for commands once it has started. */
  async wake(name: string): Promise<void> {
    const device = this.#devices.get(name);
    if (!device) return;
    const wasOff = device.state.power === 'off';
    await device.setPower('awake');
    if (wasOff) device.connect();
    const { enrollment } = device.state;
    for (const token of [enrollment?.pushToken, enrollment?.user?.pushToken])
      if (token !== undefined) this.onReachable?.(token);
  }

  find(token: string): PushTarget | undefined {
    for (const device of this.#devices.values()) {
      const target = device.pushTarget(token);
      if (target) return target;
    }
    return undefined;
  }

  /** Sums over all devices. */
  counts(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const device of this.#devices.values())
      for (const [what, many] of Object.entries(device.state.counts)) sums[what] = (sums[what] ?? 0) + many;
    return sums;
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((device) => device.close()));
  }

  #keep(state: DeviceState): PretendDevice {
    const { folder, ...shared } = this.#options;
    const file = new StateFile<DeviceState>(join(folder, `${state.name}.json`));
    const device = new PretendDevice({ ...shared, state, save: () => file.write(() => state) });
    device.onWake = () => void this.wake(state.name);
    this.#devices.set(state.name, device);
    return device;
  }

  #freeName(family: DeviceFamily): string {
    for (let number = 1; ; number += 1) {
      const name = `${family.toLowerCase()}-${number}`;
      if (!this.#devices.has(name)) return name;
    }
  }
}

// What the organs of a pretend device share: its state, the time, the network, and the shops outside.
import type { Clock } from '../clock.ts';
import type { HoldPoints } from '../hold-points.ts';
import type { DeviceState } from './device-state.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Network } from './network.ts';

/** The App Store's view of device licenses (Apps and Books). */
export interface LicenseDesk {
  hasLicense(serialNumber: string, adamId: string): Promise<boolean>;
}

export interface DeviceContext {
  readonly state: DeviceState;
  readonly clock: Clock;
  readonly network: Network;
  readonly keys: DeviceKeys;
  readonly licenses: LicenseDesk;
  readonly holds: HoldPoints;
  /** Resolves when the state, as it is now, is on disk. */
  save(): Promise<void>;
}

export const count = (context: DeviceContext, what: string): void => {
  context.state.counts[what] = (context.state.counts[what] ?? 0) + 1;
};

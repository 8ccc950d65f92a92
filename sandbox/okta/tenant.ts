// A pretend Okta tenant as the rest of its folder sees it: state, time, and what is the same for every route.
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import type { StateFile } from '../state-file.ts';
import { RequestJournal } from './request-journal.ts';
import type { DeviceRecord, TenantState } from './tenant-state.ts';

export interface TenantRequest {
  readonly method: string;
  /** Below the tenant's own host. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TenantResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects and arrays are sent as JSON. */
  readonly body?: unknown;
}

export class Tenant {
  /** Host and port as clients see them. */
  readonly host: string;
  readonly state: TenantState;
  readonly clock: Clock;
  readonly requests = new RequestJournal();
  readonly #file: StateFile<TenantState>;

  constructor(options: { host: string; state: TenantState; clock: Clock; file: StateFile<TenantState> }) {
    this.host = options.host;
    this.state = options.state;
    this.clock = options.clock;
    this.#file = options.file;
  }

  get origin(): string {
    return `https://${this.host}`;
  }

  /** Milliseconds since 1970 by the sandbox's clock. */
  now(): number {
    return this.clock.now().getTime();
  }

  /** By Okta's own clock, which may differ. */
  ownTime(): number {
    return this.now() + this.state.knobs.clockSkewSeconds * 1_000;
  }

  isoNow(): string {
    return this.clock.now().toISOString();
  }

  count(what: string): void {
    this.state.counts[what] = (this.state.counts[what] ?? 0) + 1;
  }

  save(): Promise<void> {
    return this.#file.write(() => this.state);
  }

  /** Every change of a device goes through here, so that search can lag behind. */
  changeDevice(device: DeviceRecord, change: (device: DeviceRecord) => void): void {
    const delayMs = this.state.knobs.devices.searchDelaySeconds * 1_000;
    const isLagging = (device.searchSeesAt ?? 0) > this.now();
    if (delayMs > 0 && !isLagging) {
      const { searchSaw: _, searchSeesAt: __, ...before } = device;
      device.searchSaw = structuredClone(before);
      device.searchSeesAt = this.now() + delayMs;
    }
    change(device);
    device.lastUpdated = this.isoNow();
  }

  addDevice(device: DeviceRecord): void {
    const delayMs = this.state.knobs.devices.searchDelaySeconds * 1_000;
    if (delayMs > 0) {
      device.searchSaw = null;
      device.searchSeesAt = this.now() + delayMs;
    }
    this.state.devices.push(device);
  }
}

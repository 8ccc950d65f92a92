// The location of a pretend organization: its licenses, tokens and events, kept on disk.
import { randomBytes } from 'node:crypto';
import type { StateFile } from '../state-file.ts';
import type { World } from '../world.ts';
import { assignmentOf, settleEvents, type LicenseState } from './license-state.ts';

const DAY_MS = 24 * 3_600_000;

export class Location {
  readonly state: LicenseState;
  readonly #world: Pick<World, 'clock'>;
  readonly #file: StateFile<LicenseState>;

  constructor(options: { state: LicenseState; world: Pick<World, 'clock'>; file: StateFile<LicenseState> }) {
    this.state = options.state;
    this.#world = options.world;
    this.#file = options.file;
  }

  now(): number {
    return this.#world.clock.now().getTime();
  }

  count(what: string): void {
    this.state.counts[what] = (this.state.counts[what] ?? 0) + 1;
  }

  save(): Promise<void> {
    return this.#file.write(() => this.state);
  }

  async settle(): Promise<void> {
    if (settleEvents(this.state, this.now())) await this.save();
  }

  async hasLicense(serialNumber: string, adamId: string): Promise<boolean> {
    await this.settle();
    return this.state.assignments.includes(assignmentOf(adamId, serialNumber));
  }

  async newToken(organization = 'Sandbox Inc.', lifeDays = 365): Promise<string> {
    const expiresAt = this.now() + lifeDays * DAY_MS;
    const file = {
      token: randomBytes(48).toString('base64'),
      expDate: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, '+0000'),
      orgName: organization,
    };
    const content = Buffer.from(JSON.stringify(file)).toString('base64');
    this.state.tokens.push({ content, expiresAt, isRevoked: false });
    await this.save();
    return content;
  }
}

// A pretend Fleet server's state and what both its sides do with it: the API, and the devices' MDM.
import { createPrivateKey } from 'node:crypto';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { CertificateAuthority } from '../../adapters/pki/certificate-authority.ts';
import { StateFile } from '../state-file.ts';
import {
  newFleetState,
  type FleetCommandState,
  type FleetHostState,
  type FleetState,
} from './fleet-state.ts';

/** Asks Apple to wake a device. Resolves with false when Apple refuses. */
export type PushDevice = (token: string, payload: Buffer) => Promise<boolean>;

export class FleetWorld {
  readonly state: FleetState;
  readonly authority: CertificateAuthority;
  readonly #file: StateFile<FleetState>;
  readonly #push: PushDevice;

  private constructor(state: FleetState, file: StateFile<FleetState>, push: PushDevice) {
    this.state = state;
    this.#file = file;
    this.#push = push;
    this.authority = new CertificateAuthority({
      certificate: readCertificate(state.authority.certificate),
      privateKey: createPrivateKey(state.authority.privateKey),
    });
  }

  static async open(path: string, push: PushDevice): Promise<FleetWorld> {
    const file = new StateFile<FleetState>(path);
    const kept = await file.read();
    if (kept) return new FleetWorld(kept, file, push);
    const made = await CertificateAuthority.create({ commonName: 'Fleet', ...lifeOf(10) });
    const privateKey = made.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const state = newFleetState({ certificate: made.certificate.pem, privateKey });
    await file.write(() => state);
    return new FleetWorld(state, file, push);
  }

  save(): Promise<void> {
    return this.#file.write(() => this.state);
  }

  count(what: string): void {
    this.state.counts[what] = (this.state.counts[what] ?? 0) + 1;
  }

  host(udid: string): FleetHostState | undefined {
    return this.state.hosts.find((host) => host.udid === udid);
  }

  commandsOf(udid: string): FleetCommandState[] {
    return this.state.commands.filter((command) => command.udid === udid);
  }

  /** What a host is offered: the oldest that it has not answered, after NotNow only those that it was not asked. */
  nextFor(udid: string, afterNotNow: boolean): FleetCommandState | undefined {
    return this.commandsOf(udid).find(
      ({ isActive, status }) => isActive && (status === '' || (status === 'NotNow' && !afterNotNow)),
    );
  }

  /** @returns false when Apple refuses the push */
  async wake({ pushToken, pushMagic }: FleetHostState): Promise<boolean> {
    if (this.state.knobs.losesPushes) return true;
    if (pushToken === '') return false;
    this.count('pushes');
    return this.#push(pushToken, Buffer.from(JSON.stringify({ mdm: pushMagic })));
  }
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

export const lifeOf = (years: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 3_600_000),
  notAfter: new Date(Date.now() + years * YEAR_MS),
});

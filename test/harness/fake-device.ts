// A device without a network: takes its commands from the queue, and its reports are recorded where the device listener records them.
// For tests of workflows; the sandbox's devices speak the real protocol.
// Long, because it is one device: each command changes what it keeps.
import { randomBytes } from 'node:crypto';
import { readCommand } from '../../adapters/mdm/command.ts';
import type { Report } from '../../adapters/mdm/device-message.ts';
import { parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import { verifyAttached } from '../../adapters/pki/cms.ts';
import type { CommandResponse } from '../../adapters/mdm/response.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { takeNextCommand } from '../../adapters/store/devices/next-command.ts';
import { findCommand, sealedCommandContext } from '../../adapters/store/devices/commands.ts';
import type { LongPolls, Slot } from '../../api/mdm/long-poll.ts';
import { recordReport } from '../../api/mdm/record-report.ts';
import type { ReadReport } from '../../api/mdm/response-reading.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { classify, type DeviceErrorChain } from '../../domain/device-error-classes.ts';
import type { FailureCode } from '../../domain/failures.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { asReported, type FakeCertificate } from './fake-certificate.ts';

interface Performed {
  readonly failure?: FailureCode;
  readonly errorChain?: DeviceErrorChain;
  /** Acknowledged all the same. */
  readonly isUnreadable?: true;
  readonly response?: CommandResponse;
}

export interface FakeBreak {
  readonly requestType: string;
  times: number;
  /** Absent: it acknowledges the command, and does nothing. */
  readonly errorChain?: DeviceErrorChain;
  readonly rejectionReason?: string;
  /** Only of a profile whose identifier holds this. */
  readonly profile?: string;
  /** How Okta Verify stands after it. */
  readonly appStatus?: string;
  /** A profile that is gone after it. */
  readonly removesProfile?: string;
}

export interface FakeDeviceWorld {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly longPolls: LongPolls;
  /** Redeems a challenge; false: Okta does not know it (any more). */
  redeem(challenge: string): boolean;
  compare(deviceId: string, configuration: PlistDict): Promise<string | undefined>;
}

export class FakeDevice {
  readonly id: string;
  readonly #world: FakeDeviceWorld;
  readonly profiles = new Map<string, { uuid: string; types: string[] }>();
  certificates: FakeCertificate[] = [];
  appStatus: string | undefined;
  appConfiguration: PlistDict | undefined;
  appIsForeign = false;
  /** What it responds to InstallApplication on an unsupervised phone. */
  refusesApp = false;
  /** After how many looks the app is there. */
  looksUntilManaged = 0;
  refuses = new Map<string, FailureCode>();
  /** What it reports instead of carrying a command out, as often as it says. */
  breaks: FakeBreak[] = [];
  /** It answers so many commands with NotNow first. */
  notNow = 0;
  /** Only of this type; undefined: of every one. */
  notNowTo: string | undefined;
  /** How it answers so many lists: acknowledged, and nobody can read the rest. */
  unreadable = 0;
  /** Takes a certificate's command and begins anew, as after a crash: it never answers, and has no certificate. */
  losesCertificates = false;
  /** How far its clock, and that of its certificates' authority, is ahead. */
  clockAheadMs = 0;
  certificateLifeMs = 365 * 24 * 60 * 60 * 1000;
  maxCertificates = 0;
  pushes = 0;
  readonly carriedOut: string[] = [];
  #conversation: Promise<void> | undefined;
  #isPushed = false;
  #isOff = false;
  #isAsleep = false;
  #slot: Slot | undefined;

  constructor(id: string, world: FakeDeviceWorld) {
    this.id = id;
    this.#world = world;
  }

  /** Takes nothing, and does not wake at a push. */
  get isAsleep(): boolean {
    return this.#isAsleep;
  }
  set isAsleep(isAsleep: boolean) {
    this.#isAsleep = isAsleep;
    if (isAsleep) this.#slot?.leave();
  }

  now(): Date {
    return new Date(Date.now() + this.clockAheadMs);
  }

  push(): void {
    this.pushes += 1;
    if (this.#isAsleep) return;
    this.#isPushed = true;
    void this.wake();
  }

  /** Takes commands until none has come for a while. */
  wake(): Promise<void> {
    this.#conversation ??= this.#converse().finally(() => {
      this.#conversation = undefined;
      // A push at the end of a conversation begins the next one, as a real device's does.
      if (this.#isPushed && !this.#isOff && !this.#isAsleep) void this.wake();
    });
    return this.#conversation;
  }

  /** For the end of a test: takes nothing any more. */
  async switchOff(): Promise<void> {
    this.#isOff = true;
    this.#slot?.leave();
    await this.#conversation;
  }

  #sayIdle(): Promise<void> {
    return this.#report('Idle');
  }

  /** `read`: what the listener would have read of it. */
  async #report(status: Report['status'], read?: ReadReport): Promise<void> {
    await this.#world.database.inTransaction(async (sql) => {
      await sql.query('update devices set last_contact_at = now() where id = $1', [this.id]);
      const report = read === undefined ? { status } : { status, commandUuid: read.command.uuid };
      await recordReport(sql, this.id, report, read, Buffer.alloc(0));
    });
  }

  async #converse(): Promise<void> {
    await this.#sayIdle();
    do {
      await this.#longPoll();
      await this.#setLongPoll('0 ms');
      this.#isPushed = false;
      // What came in between counted on its being awake.
    } while (await this.#takeCommand());
  }

  /** As its request does: a moment behind the last command. */
  async #longPoll(): Promise<void> {
    while (!this.#isOff && !this.#isAsleep) {
      const slot = this.#world.longPolls.take(this.id);
      if (slot === undefined) return;
      this.#slot = slot;
      try {
        if (await this.#takeCommand()) continue;
        await this.#setLongPoll(`${slot.milliseconds} ms`);
        if ((await slot.next()) !== 'queueChanged') return;
      } finally {
        slot.close();
      }
    }
  }

  async #setLongPoll(interval: string): Promise<void> {
    await this.#world.database.query(
      'update devices set long_poll_until = now() + $2::interval where id = $1',
      [this.id, interval],
    );
  }

  /** false: there was none. */
  async #takeCommand(): Promise<boolean> {
    if (this.#isOff || this.isAsleep) return false;
    const { next: command } = await this.#world.database.inTransaction(async (sql) => {
      // As for a device's request: first the device, then its queue.
      await sql.query('select from devices where id = $1 for no key update', [this.id]);
      return takeNextCommand(sql, this.id);
    });
    if (command === undefined) return false;
    if (this.notNow > 0 && this.#isNotNow(command)) {
      this.notNow -= 1;
      await this.#report('NotNow', await this.#read(command.uuid, {}));
      return true;
    }
    if (this.losesCertificates && command.sealedBody !== null) {
      await this.#sayIdle();
      return true;
    }
    await this.#carryOut(command.uuid, command.body ?? this.#open(command.uuid, command.sealedBody));
    return true;
  }

  #isNotNow({ body }: { readonly body: Buffer | null }): boolean {
    return this.notNowTo === undefined || (body !== null && readCommand(body).requestType === this.notNowTo);
  }

  #open(uuid: string, sealed: Buffer | null): Buffer {
    return Buffer.from(this.#world.sealer.open(sealed ?? Buffer.alloc(0), sealedCommandContext(uuid)));
  }

  async #carryOut(uuid: string, body: Buffer): Promise<void> {
    const { requestType, request } = readCommand(body);
    this.carriedOut.push(requestType);
    const performed = this.#perform(requestType, request);
    const read = await this.#read(uuid, performed);
    await this.#report(read.final.status, read);
  }

  async #read(uuid: string, performed: Performed): Promise<ReadReport> {
    const { failure, errorChain = [], isUnreadable, response = { kind: 'none' } } = performed;
    const command = await findCommand(this.#world.database, uuid);
    if (command === undefined) throw new Error(`there is no command ${uuid}`);
    return {
      command,
      final: {
        status: failure === undefined || isUnreadable === true ? 'Acknowledged' : 'Error',
        ...(failure !== undefined && { failure: { code: failure, errorChain } }),
      },
      response,
      configurationRevision:
        response.kind === 'applicationConfiguration'
          ? await this.#world.compare(this.id, this.appConfiguration ?? {})
          : undefined,
      problem: isUnreadable === true ? 'unreadable' : undefined,
    };
  }

  #perform(requestType: string, request: PlistDict): Performed {
    const broken = this.#breakOf(requestType, request);
    if (broken !== undefined) {
      broken.times -= 1;
      const { errorChain, rejectionReason, appStatus, removesProfile } = broken;
      if (appStatus !== undefined) this.appStatus = appStatus;
      if (removesProfile !== undefined) this.profiles.delete(removesProfile);
      if (errorChain === undefined) return {};
      return { failure: classify(requestType, errorChain, rejectionReason).failure, errorChain };
    }
    if (requestType.endsWith('List') && this.unreadable > 0) {
      this.unreadable -= 1;
      return { failure: 'mdm.message_unreadable', isUnreadable: true };
    }
    const refusal = this.refuses.get(requestType);
    if (refusal !== undefined) return { failure: refusal };
    switch (requestType) {
      case 'InstallProfile':
        return this.#install(request['Payload'] as Uint8Array);
      case 'RemoveProfile':
        return this.#remove(String(request['Identifier']));
      case 'ProfileList':
        return { response: { kind: 'profiles', profiles: this.#listProfiles() } };
      case 'CertificateList':
        return { response: { kind: 'certificates', certificates: this.certificates.map(asReported) } };
      case 'ManagedApplicationList':
        return this.#listApps();
      case 'InstalledApplicationList':
        return { response: { kind: 'installedApplications', applications: this.#listInstalled() } };
      case 'InstallApplication':
        return this.#installApp(request['Configuration'] as PlistDict | undefined);
      case 'RemoveApplication':
        this.appStatus = undefined;
        return {};
      case 'Settings':
        this.appConfiguration = (request['Settings'] as PlistDict[])[0]?.['Configuration'] as
          PlistDict | undefined;
        return {};
      case 'ManagedApplicationConfiguration':
        return { response: { kind: 'applicationConfiguration', configurations: [] } };
      default:
        return {};
    }
  }

  #breakOf(requestType: string, request: PlistDict): FakeBreak | undefined {
    return this.breaks.find(({ requestType: type, times, profile }) => {
      if (type !== requestType || times <= 0) return false;
      if (profile === undefined) return true;
      const { Payload: payload, Identifier: identifier } = request;
      if (!(payload instanceof Uint8Array)) return String(identifier).includes(profile);
      return String(parsePlistDict(verifyAttached(payload).content)['PayloadIdentifier']).includes(profile);
    });
  }

  #install(payload: Uint8Array): Performed {
    const profile = parsePlistDict(verifyAttached(payload).content);
    const identifier = String(profile['PayloadIdentifier']);
    const payloads = profile['PayloadContent'] as PlistDict[];
    const scep = payloads.find((each) => each['PayloadType'] === 'com.apple.security.scep');
    if (scep !== undefined) {
      const content = scep['PayloadContent'] as PlistDict;
      if (!this.#world.redeem(String(content['Challenge']))) return { failure: 'scep.enrollment_failed' };
      const unit = (content['Subject'] as [[string, string]][])[1]?.[0][1] ?? '';
      this.#forget(identifier);
      const notBefore = this.now();
      this.certificates.push({
        serialNumber: randomBytes(8).toString('hex'),
        unit,
        notBefore,
        notAfter: new Date(notBefore.getTime() + this.certificateLifeMs),
      });
      this.#units.set(identifier, unit);
      this.maxCertificates = Math.max(this.maxCertificates, this.certificates.length);
    }
    this.profiles.set(identifier, {
      uuid: String(profile['PayloadUUID']),
      types: payloads.map((each) => String(each['PayloadType'])),
    });
    return {};
  }

  readonly #units = new Map<string, string>();

  #forget(identifier: string): void {
    const unit = this.#units.get(identifier);
    this.certificates = this.certificates.filter((each) => each.unit !== unit);
    this.#units.delete(identifier);
  }

  #remove(identifier: string): Performed {
    if (!this.profiles.delete(identifier)) return { failure: 'mdm.profile_absent' };
    this.#forget(identifier);
    return {};
  }

  #listProfiles() {
    return [...this.profiles].map(([identifier, { uuid, types }]) => ({
      identifier,
      uuid,
      payloads: types.map((type) => ({ type, identifier: `${identifier}.${type}` })),
    }));
  }

  #listApps(): Performed {
    if (this.appStatus === 'Installing') {
      if (this.looksUntilManaged <= 0) this.appStatus = 'Managed';
      this.looksUntilManaged -= 1;
    }
    const status = this.appStatus;
    const list =
      status === undefined ? [] : [{ identifier: OKTA_VERIFY.bundleId, status, hasConfiguration: false }];
    return { response: { kind: 'applications', applications: list } };
  }

  #listInstalled() {
    return this.appIsForeign
      ? [{ identifier: OKTA_VERIFY.bundleId, isInstalling: false, isAppStore: false }]
      : [];
  }

  #installApp(configuration: PlistDict | undefined): Performed {
    if (this.refusesApp) {
      this.appStatus = 'UserRejected';
      return {};
    }
    this.appStatus = 'Installing';
    this.appConfiguration = configuration;
    return {};
  }
}

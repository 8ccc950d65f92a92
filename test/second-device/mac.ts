// A Mac, written from Apple's documentation and RFC 8894 apart from Odette's code: enrolls, takes commands, keeps what they bring.
// Long, because it is one device with all that it keeps; it may share no code with the others.
import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { build, parse, type PlistValue } from 'plist';
import { OpensslFolder } from '../openssl.ts';
import type { ApplePush } from './apple-push.ts';
import { type HasLicense, perform, Refused } from './mac-commands.ts';
import {
  type Dict,
  dictsIn,
  type Hardware,
  isDict,
  type KeychainItem,
  MacState,
  textIn,
} from './mac-state.ts';
import { requestCertificate, type ScepOrder } from './scep.ts';
import type { Response, Web } from './web.ts';

const CHECK_IN = 'application/x-apple-aspen-mdm-checkin';
const SCEP = 'com.apple.security.scep';
const MDM = 'com.apple.mdm';
const PER_USER = 'com.apple.mdm.per-user-connections';
const MUST_STAY = ['Topic', 'ServerURL', 'CheckInURL', 'ServerCapabilities'];

/** What the server of a Mac's user talks to: their profiles and login keychain, and where to push. */
interface Channel {
  readonly state: MacState;
  /** Who speaks, in every message. */
  readonly sender: Dict;
  readonly token: Buffer;
  readonly pushMagic: string;
  isConversing: boolean;
  isPushed: boolean;
}

export interface LocalUser {
  /** GeneratedUID. */
  readonly id: string;
  readonly shortName: string;
}

export class Mac {
  readonly state: MacState;
  /** Every command as it came. */
  readonly commands: Dict[] = [];
  /** Every profile as it came, its signature checked. */
  readonly profiles: Dict[] = [];
  readonly bootstrapToken = new Uint8Array(randomBytes(64));
  /** What Odette did against the protocol. */
  readonly faults: string[] = [];
  readonly #web: Web;
  readonly #push: ApplePush;
  readonly #hasLicense: HasLicense;
  readonly #openssl = new OpensslFolder();
  #identity: KeychainItem | undefined;
  readonly #device: Channel;
  #user: Channel | undefined;
  #isLoggedIn = false;
  #isOff = false;

  constructor(hardware: Hardware, outside: { web: Web; push: ApplePush; hasLicense: HasLicense }) {
    this.state = new MacState(hardware);
    this.#web = outside.web;
    this.#push = outside.push;
    this.#hasLicense = outside.hasLicense;
    this.#device = newChannel(this.state, { UDID: hardware.udid });
  }

  /** Of the user who has logged in once: profiles, and the login keychain. */
  get userState(): MacState {
    if (this.#user === undefined) throw new Error('nobody has logged in');
    return this.#user.state;
  }

  /** The user logs in; the first time their channel says where to push, if the server listens to users. */
  async logIn({ id, shortName }: LocalUser): Promise<void> {
    this.#isLoggedIn = true;
    const capabilities = this.#mdm()['ServerCapabilities'];
    if (!Array.isArray(capabilities) || !capabilities.includes(PER_USER)) return;
    if (this.#user === undefined) {
      const user = { UserID: id, UserShortName: shortName, UserLongName: shortName };
      this.#user = newChannel(new MacState(this.state.hardware), { ...this.#device.sender, ...user });
      const { sender, token, pushMagic } = this.#user;
      const topic = textIn(this.#mdm(), 'Topic');
      this.#register(this.#user, topic);
      const where = { Topic: topic, Token: new Uint8Array(token), PushMagic: pushMagic };
      await this.#checkIn({ MessageType: 'TokenUpdate', ...sender, ...where, NotOnConsole: false });
    }
    void this.#wake(this.#user);
  }

  /** The user's channel sends nothing until they are back; Apple stores their pushes. */
  logOut(): void {
    this.#isLoggedIn = false;
  }

  /** As its user does: types the code on the page and installs the profile that comes back. */
  async enroll(url: string, code: string): Promise<void> {
    const form = new URLSearchParams({ code }).toString();
    const response = await this.#web.post(`${url}/enroll`, form, 'application/x-www-form-urlencoded');
    if (response.status !== 200 || response.type !== 'application/x-apple-aspen-config')
      throw new Error(`no profile: ${response.status} ${response.type}`);
    await this.#install(this.#readProfile(response.body));
  }

  /** The user removes a profile in System Settings. */
  removeProfile(identifier: string): void {
    if (!this.state.remove(identifier)) throw new Error(`no profile ${identifier}`);
  }

  /** The user removes the enrollment profile: the Mac says so, once, and forgets everything that was managed. */
  async leave(): Promise<void> {
    const topic = textIn(this.#mdm(), 'Topic');
    await this.#checkIn({ MessageType: 'CheckOut', Topic: topic, UDID: this.state.hardware.udid });
    for (const channel of [this.#device, this.#user]) if (channel) this.#push.unregister(channel.token);
    this.#user = undefined;
    this.state.profiles = [];
    this.state.keychain = [];
  }

  /** The certificate with which the Mac signs its messages. */
  identity(): X509Certificate {
    if (this.#identity === undefined) throw new Error('not enrolled');
    return new X509Certificate(this.#identity.certificate);
  }

  switchOff(): void {
    this.#isOff = true;
    this.#web.close();
    this.#openssl.remove();
  }

  #mdm(): Dict {
    const [payload] = this.state.payloads(MDM);
    if (payload === undefined) throw new Error('not enrolled');
    return payload;
  }

  /** @throws Refused when the signature does not hold */
  #readProfile(signed: Uint8Array): Dict {
    this.#openssl.file('profile', signed);
    let xml: Buffer;
    try {
      xml = this.#openssl.run('cms', '-verify', '-inform', 'DER', '-noverify', '-in', 'profile');
    } catch {
      throw new Refused('MCProfileErrorDomain', 1004, 'The profile’s signature does not hold.');
    }
    const profile = parse(xml.toString());
    if (!isDict(profile)) throw new Refused('MCProfileErrorDomain', 1000, 'The profile is malformed.');
    this.profiles.push(profile);
    return profile;
  }

  /** A profile of the same identifier gives way, and its identities with it. */
  async #install(profile: Dict, { state }: Channel = this.#device): Promise<void> {
    const scope = state === this.state ? 'System' : 'User';
    const isForScope = (textIn(profile, 'PayloadScope') || 'User') === scope;
    const identifier = textIn(profile, 'PayloadIdentifier');
    const payloads = dictsIn(profile['PayloadContent']);
    const mdm = payloads.find((payload) => payload['PayloadType'] === MDM);
    if (mdm === undefined && !isForScope)
      throw new Refused('MCInstallationErrorDomain', 4001, 'The profile is of another scope.');
    const old = this.state.payloads(MDM)[0];
    if (mdm && old && MUST_STAY.some((key) => JSON.stringify(mdm[key]) !== JSON.stringify(old[key])))
      throw new Refused('MCMDMErrorDomain', 12012, 'The new enrollment is of another server.');
    const brought = new Map<string, KeychainItem>();
    for (const payload of payloads.filter((one) => one['PayloadType'] === SCEP))
      brought.set(textIn(payload, 'PayloadUUID'), await this.#certificateFor(payload, identifier));
    state.remove(identifier);
    state.profiles.push(profile);
    state.keychain.push(...brought.values());
    if (mdm === undefined) return;
    this.#identity = brought.get(textIn(mdm, 'IdentityCertificateUUID'));
    if (this.#identity === undefined)
      throw new Refused('MCInstallationErrorDomain', 4014, 'The device identity is missing.');
    await this.#authenticate(mdm);
  }

  async #certificateFor(payload: Dict, profile: string): Promise<KeychainItem> {
    const content = isDict(payload['PayloadContent']) ? payload['PayloadContent'] : {};
    const order: ScepOrder = {
      url: textIn(content, 'URL'),
      subject: content['Subject'] as unknown as ScepOrder['subject'],
      challenge: textIn(content, 'Challenge'),
      keySize: Number(content['Keysize'] ?? 1024),
      keyUsage: Number(content['Key Usage'] ?? 0),
      name: textIn(content, 'Name'),
    };
    try {
      return {
        ...(await requestCertificate(order, this.#web, this.#openssl)),
        profile,
        isExtractable: content['KeyIsExtractable'] !== false,
        isUsableByAll: content['AllowAllAppsAccess'] === true,
      };
    } catch (error) {
      this.faults.push(String(error));
      throw new Refused('MDM-SCEP', 15002, 'Unable to obtain certificate from SCEP server');
    }
  }

  async #authenticate(mdm: Dict): Promise<void> {
    const { hardware } = this.state;
    const who = { Topic: textIn(mdm, 'Topic'), UDID: hardware.udid };
    await this.#checkIn({
      MessageType: 'Authenticate',
      ...who,
      DeviceName: hardware.name,
      ModelName: hardware.modelName,
      Model: hardware.model,
      ProductName: hardware.model,
      OSVersion: hardware.osVersion,
      BuildVersion: hardware.buildVersion,
      SerialNumber: hardware.serialNumber,
      Challenge: new Uint8Array(randomBytes(20)),
    });
    this.#register(this.#device, who.Topic);
    await this.#checkIn({
      MessageType: 'TokenUpdate',
      ...who,
      Token: new Uint8Array(this.#device.token),
      PushMagic: this.#device.pushMagic,
      AwaitingConfiguration: false,
    });
    const capabilities = mdm['ServerCapabilities'];
    if (Array.isArray(capabilities) && capabilities.includes('com.apple.mdm.bootstraptoken'))
      await this.#checkIn({
        MessageType: 'SetBootstrapToken',
        UDID: who.UDID,
        BootstrapToken: this.bootstrapToken,
      });
  }

  /** Asks for the token that the server keeps; undefined: it keeps none. */
  async escrowedToken(): Promise<Uint8Array | undefined> {
    const message = { MessageType: 'GetBootstrapToken', UDID: this.state.hardware.udid };
    const response = await this.#send(textIn(this.#mdm(), 'ServerURL'), message, CHECK_IN);
    const read = response.body.length > 0 ? parse(response.body.toString()) : undefined;
    return isDict(read) ? (read['BootstrapToken'] as Uint8Array) : undefined;
  }

  async #checkIn(message: Dict): Promise<void> {
    const url = textIn(this.#mdm(), 'CheckInURL') || textIn(this.#mdm(), 'ServerURL');
    const response = await this.#send(url, message, CHECK_IN);
    if (response.status !== 200) throw new Error(`${textIn(message, 'MessageType')}: ${response.status}`);
    if (response.body.length > 0)
      this.faults.push(`${textIn(message, 'MessageType')}: a body in the response`);
  }

  #register(channel: Channel, topic: string): void {
    this.#push.register(channel.token, {
      topic,
      deliver: (magic) => {
        if (magic === channel.pushMagic) void this.#wake(channel);
      },
    });
  }

  async #wake(channel: Channel): Promise<void> {
    channel.isPushed = true;
    if (channel.isConversing || this.#isOff || (channel !== this.#device && !this.#isLoggedIn)) return;
    channel.isConversing = true;
    try {
      while (channel.isPushed) {
        channel.isPushed = false;
        await this.#converse(channel);
      }
    } catch (error) {
      if (!this.#isOff) this.faults.push(String(error));
    } finally {
      channel.isConversing = false;
    }
  }

  /** Idle, then one command after the other, until the server has no more. */
  async #converse(channel: Channel): Promise<void> {
    let report: Dict = { Status: 'Idle' };
    for (;;) {
      const message = { ...channel.sender, ...report };
      const response = await this.#send(
        textIn(this.#mdm(), 'ServerURL'),
        message,
        'application/x-apple-aspen-mdm',
      );
      if (response.status !== 200) throw new Error(`command channel: ${response.status}`);
      if (response.body.length === 0) return;
      report = await this.#carryOut(parse(response.body.toString()), channel);
    }
  }

  async #carryOut(read: PlistValue, channel: Channel): Promise<Dict> {
    const commandUuid = isDict(read) ? textIn(read, 'CommandUUID') : '';
    const command = isDict(read) && isDict(read['Command']) ? read['Command'] : {};
    if (commandUuid === '') this.faults.push('a command without CommandUUID');
    this.commands.push(command);
    try {
      if (command['RequestType'] !== 'InstallProfile') {
        const answer = await perform(channel.state, command, this.#hasLicense);
        return { Status: 'Acknowledged', CommandUUID: commandUuid, ...answer };
      }
      await this.#install(this.#readProfile(command['Payload'] as Uint8Array), channel);
      return { Status: 'Acknowledged', CommandUUID: commandUuid };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { Status: 'Error', CommandUUID: commandUuid, ErrorChain: [error.link()] };
    }
  }

  /** Signed as macOS signs: SHA-1, no signed attributes, indefinite lengths. */
  #send(url: string, message: Dict, type: string): Promise<Response> {
    if (this.#identity === undefined) throw new Error('not enrolled');
    const body = Buffer.from(build(message as PlistValue));
    this.#openssl.file('body', body);
    this.#openssl.file('identity.pem', `${this.#identity.certificate}\n${this.#identity.privateKey}`);
    const form = ['-binary', '-noattr', '-md', 'sha1', '-stream', '-outform', 'DER'];
    const signature = this.#openssl.run('cms', '-sign', ...form, '-signer', 'identity.pem', '-in', 'body');
    const headers = { 'Content-Type': type, 'Mdm-Signature': signature.toString('base64') };
    return this.#web.send('PUT', url, body, headers);
  }
}

const newChannel = (state: MacState, sender: Dict): Channel => ({
  state,
  sender,
  token: randomBytes(32),
  pushMagic: randomUUID(),
  isConversing: false,
  isPushed: false,
});

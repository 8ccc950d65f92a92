// The device side of the MDM protocol, message by message, for tests of the device listener: real SCEP, real signatures.
import { randomBytes, randomUUID } from 'node:crypto';
import { type PlistDict, type PlistValue, buildPlist, parsePlistDict } from '../../adapters/mdm/plist.ts';
import {
  type KeyAndCertificate,
  type KeyPair,
  newRsaKeyPair,
} from '../../adapters/pki/certificate-authority.ts';
import { signDetached, verifyAttached } from '../../adapters/pki/cms.ts';
import { enrollWithScep } from './scep-client.ts';
import { TOPIC } from './device-listener.ts';

/** Key pairs cost a tenth of a second each: tests that do not care share one. */
let shared: Promise<KeyPair> | undefined;

/** The challenge in the profile that a code is exchanged for. */
export async function challengeFor(url: string, code: string): Promise<string> {
  const response = await fetch(`${url}/enroll`, { method: 'POST', body: new URLSearchParams({ code }) });
  if (response.status !== 200) throw new Error(`no profile: ${response.status}`);
  return challengeIn(Buffer.from(await response.arrayBuffer()));
}

/** The challenge in a signed enrollment profile. */
export function challengeIn(profile: Buffer): string {
  const { content } = verifyAttached(profile);
  const payloads = parsePlistDict(content)['PayloadContent'] as readonly PlistDict[];
  const scep = payloads.find((payload) => payload['PayloadType'] === 'com.apple.security.scep');
  return (scep?.['PayloadContent'] as PlistDict)['Challenge'] as string;
}

export async function identityFor(
  url: string,
  challenge: string,
  ownKey = false,
): Promise<KeyAndCertificate> {
  const keyPair = ownKey ? await newRsaKeyPair() : await (shared ??= newRsaKeyPair());
  const certificate = await enrollWithScep({
    url: `${url}/scep`,
    subject: [['CN', 'device identity']],
    challenge,
    keyPair,
  });
  return { certificate, privateKey: keyPair.privateKey };
}

export class ProtocolDevice {
  readonly udid: string;
  readonly token = randomBytes(32);
  identity: KeyAndCertificate;
  form: 'attributes-sha256' | 'no-attributes-sha1' = 'no-attributes-sha1';
  readonly #url: string;

  constructor(url: string, identity: KeyAndCertificate, udid: string = randomUUID().toUpperCase()) {
    this.#url = url;
    this.identity = identity;
    this.udid = udid;
  }

  /** Enrolled as a Mac, ready for commands. */
  static async enroll(url: string, code: string, udid?: string): Promise<ProtocolDevice> {
    const device = new ProtocolDevice(url, await identityFor(url, await challengeFor(url, code)), udid);
    const statuses = [await device.authenticate(), await device.updateToken()].map(({ status }) => status);
    if (statuses.some((status) => status !== 200)) throw new Error(`not enrolled: ${statuses.join()}`);
    return device;
  }

  authenticate = (extra: PlistDict = {}) =>
    this.send({
      MessageType: 'Authenticate',
      Topic: TOPIC,
      UDID: this.udid,
      DeviceName: 'Studio',
      ProductName: 'Mac14,2',
      OSVersion: '26.1',
      SerialNumber: `C02${this.udid.slice(0, 8)}`,
      ...extra,
    });
  updateToken = (extra: PlistDict = {}) =>
    this.send({
      MessageType: 'TokenUpdate',
      Topic: TOPIC,
      UDID: this.udid,
      Token: this.token,
      PushMagic: 'magic',
      AwaitingConfiguration: false,
      ...extra,
    });
  checkOut = () => this.send({ MessageType: 'CheckOut', Topic: TOPIC, UDID: this.udid });

  /** The command that Idle brings, or undefined. */
  idle = () => this.report({ Status: 'Idle' });
  acknowledge = (commandUuid: string, response: PlistDict = {}) =>
    this.report({ Status: 'Acknowledged', CommandUUID: commandUuid, ...response });
  notNow = (commandUuid: string) => this.report({ Status: 'NotNow', CommandUUID: commandUuid });

  /** CommandUUID of the next command, or undefined for an empty 200. */
  async report(dict: PlistDict): Promise<string | undefined> {
    const response = await this.send({ ...dict, UDID: this.udid });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const body = Buffer.from(await response.arrayBuffer());
    return body.length === 0 ? undefined : (parsePlistDict(body)['CommandUUID'] as string);
  }

  send(message: PlistValue): Promise<Response> {
    return this.sendBytes(buildPlist(message));
  }

  sendBytes(body: Uint8Array, headers: Record<string, string> = {}, method = 'PUT'): Promise<Response> {
    const signature = signDetached(body, this.identity, this.form).toString('base64');
    return fetch(`${this.#url}/mdm`, {
      method,
      body: Buffer.from(body),
      headers: { 'Mdm-Signature': signature, ...headers },
    });
  }
}

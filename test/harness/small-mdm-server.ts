// A small MDM server for the tests of pretend devices: enrolls, hands commands over, keeps what it receives. Not Odette.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, shut } from '../../sandbox/listeners.ts';
import type { Authorities } from '../../sandbox/authorities.ts';
import type { DeviceMessage } from '../../adapters/mdm/device-message.ts';
import { readDeviceMessage } from '../../adapters/mdm/device-message.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import type { PlistDict, PlistValue } from '../../adapters/mdm/plist.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { CertificateAuthority, newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { signAttached, verifyDetached } from '../../adapters/pki/cms.ts';
import { readScepRequest } from '../../adapters/pki/scep-message.ts';
import { handleScep } from '../../adapters/pki/scep-server.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;
const span = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 3_600_000),
  notAfter: new Date(Date.now() + YEAR_MS),
});

/** One profile around these payloads; identifiers come from the name, UUIDs are new each time. */
export const profileOf = (name: string, payloads: readonly PlistDict[], more: PlistDict = {}): Buffer =>
  buildPlist({
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: `test.${name}`,
    PayloadUUID: randomUUID(),
    PayloadDisplayName: name,
    PayloadContent: payloads,
    ...more,
  });

export const payload = (type: string, keys: PlistDict, more: PlistDict = {}): PlistDict => ({
  PayloadType: type,
  PayloadVersion: 1,
  PayloadIdentifier: `test.${type}.${randomUUID()}`,
  PayloadUUID: randomUUID(),
  ...keys,
  ...more,
});

export class SmallMdmServer {
  readonly received: DeviceMessage[] = [];
  /** Common names of those who signed, as they came. */
  readonly signers: string[] = [];
  /** Who signed each SCEP request, and whether with the key that it asks a certificate for. */
  readonly scepSigners: { readonly subject: string; readonly isOfRequest: boolean }[] = [];
  topic: string;
  readonly url: string;
  readonly challenge = 'enroll-me';
  readonly authority: CertificateAuthority;
  readonly signer: KeyAndCertificate;
  /** Sends this status to so many messages. */
  outage = { status: 503, times: 0 };
  /** Further keys of the MDM payload, in place of the usual ones. */
  mdmKeys: PlistDict = {};
  bootstrapToken: Buffer | undefined;
  /** Another MDM server, which gets the messages instead: this one enrolls into it. */
  forwardsTo: string | undefined;
  readonly #queue: { uuid: string; command: PlistDict }[] = [];
  readonly #waiting = new Map<string, (response: PlistDict) => void>();
  readonly #close: () => Promise<void>;

  private constructor(given: {
    url: string;
    topic: string;
    authority: CertificateAuthority;
    signer: KeyAndCertificate;
    close: () => Promise<void>;
  }) {
    this.url = given.url;
    this.topic = given.topic;
    this.authority = given.authority;
    this.signer = given.signer;
    this.#close = given.close;
  }

  static async start(authorities: Authorities): Promise<SmallMdmServer> {
    const authority = await CertificateAuthority.create({ commonName: 'Identities', ...span() });
    const { publicKey, privateKey } = await newRsaKeyPair();
    const certificate = authority.issue({
      subject: [['CN', 'Signer']],
      publicKey,
      use: 'signing',
      ...span(),
    });
    const server = createServer({ key: authorities.server.key, cert: authorities.server.certificate });
    const port = await listen(server, 0);
    const small = new SmallMdmServer({
      url: `https://localhost:${port}`,
      topic: 'com.apple.mgmt.External.test',
      authority,
      signer: { certificate, privateKey },
      close: () => shut(server),
    });
    server.on('request', (request, response) => {
      small.#serve(request, response).catch(() => response.writeHead(500).end());
    });
    return small;
  }

  close(): Promise<void> {
    return this.#close();
  }

  sign(profile: Buffer): Buffer {
    return signAttached(profile, this.signer);
  }

  /** Queues a command; resolves with its final response. The device still has to be woken. */
  send(requestType: string, keys: { readonly [key: string]: PlistValue } = {}): Promise<PlistDict> {
    const uuid = randomUUID();
    this.#queue.push({ uuid, command: { RequestType: requestType, ...keys } });
    return new Promise((resolve) => this.#waiting.set(uuid, resolve));
  }

  enrollmentProfile(): Buffer {
    const identity = randomUUID();
    const scep = payload(
      'com.apple.security.scep',
      {
        PayloadContent: {
          URL: `${this.url}/scep`,
          Challenge: this.challenge,
          Keysize: 2048,
          'Key Type': 'RSA',
          'Key Usage': 5,
          Subject: [[['CN', '%SerialNumber%']]],
        },
      },
      { PayloadUUID: identity },
    );
    const mdm = payload('com.apple.mdm', {
      IdentityCertificateUUID: identity,
      Topic: this.topic,
      ServerURL: `${this.url}/mdm`,
      SignMessage: true,
      AccessRights: 8191,
      CheckOutWhenRemoved: true,
      ...this.mdmKeys,
    });
    return this.sign(profileOf('enrollment', [scep, mdm]));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname === '/enroll') {
      response
        .writeHead(200, { 'Content-Type': 'application/x-apple-aspen-config' })
        .end(this.enrollmentProfile());
    } else if (url.pathname === '/scep') await this.#handleScep(request, url, body, response);
    else if (this.forwardsTo !== undefined) await forward(`${this.forwardsTo}/mdm`, request, body, response);
    else this.#handleMessage(request, body, response);
  }

  async #handleScep(
    request: IncomingMessage,
    url: URL,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const asked = {
      method: request.method ?? 'GET',
      operation: url.searchParams.get('operation') ?? undefined,
      message: url.searchParams.get('message') ?? undefined,
      body,
    };
    const scep = await handleScep(asked, {
      authority: this.authority,
      decide: (csr) => {
        const { signer } = readScepRequest(body);
        const isOfRequest = signer.publicKey.equals(csr.publicKey);
        this.scepSigners.push({ subject: signer.subject, isOfRequest });
        return csr.challengePassword === this.challenge
          ? this.authority.issue({ subject: csr.subject, publicKey: csr.publicKey, use: 'client', ...span() })
          : { refusal: 'challenge' };
      },
    });
    response.writeHead(scep.status, { 'Content-Type': scep.contentType }).end(scep.body);
  }

  #handleMessage(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const signature = Buffer.from(String(request.headers['mdm-signature'] ?? ''), 'base64');
    const signer = verifyDetached(signature, body);
    const message = readDeviceMessage(body);
    if (this.outage.times > 0) {
      this.outage.times -= 1;
      response.writeHead(this.outage.status).end();
      return;
    }
    this.received.push(message);
    this.signers.push(signer.commonName);
    if (message.type === 'UserAuthenticate') return void response.writeHead(410).end();
    if (message.userId !== undefined) return void response.writeHead(200).end();
    if (message.type === 'SetBootstrapToken') this.bootstrapToken = message.bootstrapToken;
    if (message.type === 'GetBootstrapToken' && this.bootstrapToken)
      return void response.writeHead(200).end(buildPlist({ BootstrapToken: this.bootstrapToken }));
    if (message.type !== 'Report') return void response.writeHead(200).end();
    if (message.commandUuid !== undefined && message.status !== 'NotNow') {
      const index = this.#queue.findIndex((one) => one.uuid === message.commandUuid);
      if (index >= 0) this.#queue.splice(index, 1);
      this.#waiting.get(message.commandUuid)?.(message.dict);
    }
    const next = message.status === 'NotNow' ? undefined : this.#queue[0];
    response.writeHead(200).end(next && buildPlist({ CommandUUID: next.uuid, Command: next.command }));
  }
}

async function forward(
  url: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const headers = Object.fromEntries(
    ['content-type', 'mdm-signature', 'user-agent'].map((name) => [
      name,
      String(request.headers[name] ?? ''),
    ]),
  );
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
  response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
}

// The attacking half of the flood benchmark, as a process of its own: does everything at once, then says what came back.
import { createPrivateKey, randomUUID } from 'node:crypto';
import { request as httpRequest, Agent as HttpAgent } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { signDetached } from '../../adapters/pki/cms.ts';

export interface Flood {
  readonly admin: string;
  readonly devices: string;
  readonly tokens: readonly string[];
  readonly streamsOfToken: number;
  /** Of an enrolled device that means harm. */
  readonly identity: { readonly certificatePem: string; readonly keyPem: string };
  readonly udid: string;
}

/** How often each status came back; 0: no answer. */
type Statuses = Record<string, number>;
export interface FloodReport {
  readonly eventStreams: Statuses;
  readonly slowUploads: Statuses;
  readonly refused: Statuses;
  readonly worstMessages: Statuses;
  readonly seconds: number;
}

const SLOW_UPLOADS = 300;
const REFUSED = 10_000;
const AT_ONCE = 50;
const WORST_OF_EACH = 20;
const AGENTS = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: AT_ONCE }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: AT_ONCE }),
};
const request: typeof httpRequest = ((url: string, ...rest: [never]) =>
  (url.startsWith('https:') ? httpsRequest : httpRequest)(url, ...rest)) as typeof httpRequest;
const agentFor = (url: string) => AGENTS[url.startsWith('https:') ? 'https:' : 'http:'];

process.once('message', (flood: Flood) => void run(flood));

async function run(flood: Flood): Promise<void> {
  const began = Date.now();
  const eventStreams = await openStreams(flood);
  const slowUploads = beginUploads(flood);
  const [refused, worstMessages] = await Promise.all([sendRefused(flood), sendWorst(flood)]);
  const report: FloodReport = {
    eventStreams,
    slowUploads: slowUploads(),
    refused,
    worstMessages,
    seconds: (Date.now() - began) / 1000,
  };
  process.send?.(report);
}

const count = (statuses: Statuses, status: number | undefined): void => {
  const key = String(status ?? 0);
  statuses[key] = (statuses[key] ?? 0) + 1;
};

/** Each stays open until this process ends. */
async function openStreams({ admin, tokens, streamsOfToken }: Flood): Promise<Statuses> {
  const statuses: Statuses = {};
  for (const token of tokens)
    await Promise.all(
      Array.from(
        { length: streamsOfToken },
        () =>
          new Promise<void>((resolve) => {
            const sent = request(`${admin}/api/events`, { headers: { authorization: `Bearer ${token}` } });
            sent.on('response', (response) => {
              count(statuses, response.statusCode);
              response.resume();
              resolve();
            });
            sent.on('error', () => {
              count(statuses, 0);
              resolve();
            });
            sent.end();
          }),
      ),
    );
  return statuses;
}

/** A byte now and then. @returns what has come back until now */
function beginUploads({ admin, devices }: Flood): () => Statuses {
  const statuses: Statuses = {};
  for (let index = 0; index < SLOW_UPLOADS; index += 1) {
    const sent = request(
      index % 2 === 0 ? `${admin}/api/session` : `${devices}/scep?operation=PKIOperation`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': '30000' },
      },
    );
    sent.on('error', () => undefined);
    sent.on('response', (response) => {
      count(statuses, response.statusCode);
      response.resume();
    });
    const drip = setInterval(() => sent.write(' '), 500);
    sent.on('close', () => clearInterval(drip));
  }
  return () => statuses;
}

function ask(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: Buffer,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      url,
      {
        method,
        agent: agentFor(url),
        headers: { ...headers, ...(body && { 'content-length': String(body.length) }) },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      },
    );
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}

async function sendRefused({ admin, devices }: Flood): Promise<Statuses> {
  const statuses: Statuses = {};
  let left = REFUSED;
  const next = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status =
        left % 2 === 0
          ? await ask(`${admin}/api/devices`, 'GET', { authorization: `Bearer ${randomUUID()}` })
          : await ask(`${devices}/mdm`, 'PUT', { 'Mdm-Signature': 'bm8=' }, Buffer.from('<plist/>'));
      count(statuses, status);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return statuses;
}

const fill = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / piece.length));

/** The worst of each kind, from a device that is enrolled and was asked for a list, and from a stranger. */
async function sendWorst({ devices, identity, udid }: Flood): Promise<Statuses> {
  const signer = {
    certificate: readCertificate(identity.certificatePem),
    privateKey: createPrivateKey(identity.keyPem),
  };
  const head = `<key>UDID</key><string>${udid}</string>`;
  const list = `${head}<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>${randomUUID()}</string>`;
  const bodies = [
    `${head}<key>MessageType</key><string>Authenticate</string>${fill('<key>a</key><true/>', 60_000)}`,
    `${head}<key>MessageType</key><string>TokenUpdate</string>${fill('<key>a</key><true/>', 60_000)}`,
    `${head}<key>Status</key><string>Idle</string><key>ErrorChain</key><array>${fill('<dict/>', 60_000)}</array>`,
    ...['ProfileList', 'InstalledApplicationList'].map(
      (key) =>
        `${list}<key>${key}</key><array>${fill('<dict><key>Identifier</key><string>a</string></dict>', 640_000)}</array>`,
    ),
    `${list}<key>CertificateList</key><array>${fill('<dict><key>Data</key><data>MIIBADCCAQA=</data></dict>', 700_000)}</array>`,
    `${list}<key>A</key><string>${fill('&amp;', 500_000)}</string>`,
    `${list}<key>A</key><data>${fill('Q \n', 1_900_000)}</data>`,
  ].map((inside) => Buffer.from(`<plist><dict>${inside}</dict></plist>`));
  const messages = bodies.map((body) => ({
    body,
    signature: signDetached(body, signer, 'no-attributes-sha1').toString('base64'),
  }));
  const pieces = Buffer.concat([
    Buffer.from([0x30, 0x82, 0x7f, 0xf0]),
    Buffer.alloc(0x7ff0, Buffer.from([5, 0])),
  ]);
  const statuses: Statuses = {};
  for (let round = 0; round < WORST_OF_EACH; round += 1) {
    for (const { body, signature } of messages)
      count(statuses, await ask(`${devices}/mdm`, 'PUT', { 'Mdm-Signature': signature }, body));
    count(statuses, await ask(`${devices}/scep?operation=PKIOperation`, 'POST', {}, pieces));
    const header = pieces.subarray(0, 9000).toString('base64');
    count(statuses, await ask(`${devices}/mdm`, 'PUT', { 'Mdm-Signature': header }, Buffer.from('<plist/>')));
    await pause(50);
  }
  return statuses;
}

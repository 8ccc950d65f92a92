// The attacking half of the flood benchmark, as a process of its own: does everything at once, then says what came back.
import { randomUUID } from 'node:crypto';
import { request as httpRequest, Agent as HttpAgent } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ASN1_PIECES,
  ROUNDS,
  worstLists,
  worstSmall,
  worstUnreadable,
  type Attacker,
} from './worst-messages.ts';

export interface Flood {
  readonly admin: string;
  readonly devices: string;
  readonly tokens: readonly string[];
  readonly streamsOfToken: number;
  /** An enrolled device that enrolls again and again. */
  readonly returning: Attacker;
  /** One that was asked for lists. */
  readonly listing: Attacker;
  /** The UUIDs of these commands, for each kind of list one a round. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
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
  let isOver = false;
  const [refused, worstMessages] = await Promise.all([
    sendRefused(flood, () => isOver),
    sendWorst(flood).finally(() => (isOver = true)),
  ]);
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

/** A byte now and then, from an address of its own, whose share of uploads it takes. @returns what has come back until now */
function beginUploads({ admin, devices }: Flood): () => Statuses {
  const statuses: Statuses = {};
  for (let index = 0; index < SLOW_UPLOADS; index += 1) {
    const sent = request(
      index % 2 === 0 ? `${admin}/api/session` : `${devices}/scep?operation=PKIOperation`,
      {
        method: 'POST',
        localAddress: '127.0.0.2',
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

/** So many, and more until the rest of the flood is over, so that all of it comes at once. */
async function sendRefused({ admin, devices }: Flood, isOver: () => boolean): Promise<Statuses> {
  const statuses: Statuses = {};
  let left = REFUSED;
  const next = async (): Promise<void> => {
    while (left > 0 || !isOver()) {
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

/** One after the other, as a device sends them. */
async function sendWorst({ devices, returning, listing, lists }: Flood): Promise<Statuses> {
  const messages = [...worstSmall(returning), ...worstUnreadable(listing)];
  const listsByRound = worstLists(listing, lists);
  const statuses: Statuses = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { body, signature } of [...messages, ...(listsByRound[round] ?? [])])
      count(statuses, await ask(`${devices}/mdm`, 'PUT', { 'Mdm-Signature': signature }, body));
    count(statuses, await ask(`${devices}/scep?operation=PKIOperation`, 'POST', {}, ASN1_PIECES));
    const header = ASN1_PIECES.subarray(0, 9000).toString('base64');
    count(statuses, await ask(`${devices}/mdm`, 'PUT', { 'Mdm-Signature': header }, Buffer.from('<plist/>')));
    await pause(50);
  }
  return statuses;
}

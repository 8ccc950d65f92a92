// What devices ask of an MDM server, from many connections at once: signed beforehand, so that only the server is measured.
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { buildPlist, parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { quantile } from './measured.ts';

/** Requests at once, each on a connection of its own that is kept. */
export const CONNECTIONS = 16;

export interface LoadDevice {
  readonly udid: string;
  readonly identity: KeyAndCertificate;
}

export interface Prepared {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Rival {
  readonly name: string;
  /** Whose processor time is counted, with that of its children. */
  readonly pid: number;
  /** The body of the response. @throws Error when it is not a 200 */
  send(message: Prepared): Promise<Buffer>;
  /** Queues so many commands for each device. @returns their CommandUUIDs, a list for each device */
  queue(devices: readonly LoadDevice[], commands: number): Promise<string[][]>;
}

export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p95: number;
}

/** Counts a request and the time of its answer. */
export type Timed = <T>(request: Promise<T>) => Promise<T>;

/** Whose certificate is not looked at: a benchmark made it. */
export const connectionsTo = (origin: string, localAddress?: string): Pool =>
  new Pool(origin, {
    connections: CONNECTIONS,
    connect: { rejectUnauthorized: false },
    ...(localAddress !== undefined && { localAddress }),
  });

export function prepare({ identity, udid }: LoadDevice, message: PlistDict): Prepared {
  const body = buildPlist({ ...message, UDID: udid });
  const kind = 'MessageType' in message ? 'x-apple-aspen-mdm-checkin' : 'x-apple-aspen-mdm';
  return {
    body,
    headers: {
      'content-type': `application/${kind}`,
      'mdm-signature': signDetached(body, identity, 'attributes-sha256').toString('base64'),
    },
  };
}

export async function put(pool: Pool, { body, headers }: Prepared): Promise<Buffer> {
  const response = await pool.request({ path: '/mdm', method: 'PUT', body, headers });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${bytes.toString('utf8')}`);
  return bytes;
}

/** CommandUUID of a command, or undefined: nothing to do. */
export const commandIn = (body: Buffer): string | undefined =>
  body.length === 0 ? undefined : (parsePlistDict(body)['CommandUUID'] as string);

/** Does each piece of work once, CONNECTIONS of them at a time. */
export async function load<Piece>(
  pieces: readonly Piece[],
  work: (piece: Piece, timed: Timed) => Promise<unknown>,
): Promise<Load> {
  const times: number[] = [];
  const timed: Timed = async (request) => {
    const began = performance.now();
    const result = await request;
    times.push(performance.now() - began);
    return result;
  };
  const waiting = pieces.values();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (const piece of waiting) await work(piece, timed);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return {
    requests: times.length,
    requestsPerSecond: times.length / seconds,
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
  };
}

// What one device may occupy of this process: how large its message may be, how many requests it has at once, how many bytes all have in
// flight. Decided before a byte of the body is read, from what the tables know of the identity.
import type { Sql } from '../../adapters/store/base/database.ts';
import type { DeviceMessage } from '../../adapters/mdm/device-message.ts';
import { CONTENT_KEYS } from '../../adapters/mdm/response.ts';
import { AtOnce } from '../http/at-once.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { RecentlyUsed } from '../../domain/recently-used.ts';

/** Check-ins and most reports have a few kB, with an UnlockToken or BootstrapToken a few more. */
const MAX_BYTES = 64 * 1024;
/** InstalledApplicationList of a thousand apps, CertificateList of several hundred certificates. */
const MAX_LIST_BYTES = 2 * 1024 * 1024;
const LISTS = Object.keys(CONTENT_KEYS).filter((requestType) => requestType !== 'DeviceInformation');
const LIST_KEYS = LISTS.flatMap((requestType) => CONTENT_KEYS[requestType] ?? []);
/** One waits for its next command while the next report comes in. */
const MAX_REQUESTS_OF_IDENTITY = 4;
/** Of everything that is being read at once. */
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** How long an identity that was found in the tables may send a small message without a look at them: its own transaction judges it anyway. */
const KNOWN_FOR_MS = 60_000;
const MAX_KNOWN = 10_000;

/** Identities that the tables knew a moment ago. */
export class KnownIdentities {
  /** Until when, in milliseconds since the epoch, by fingerprint. */
  readonly #until = new RecentlyUsed<number>(MAX_KNOWN);

  /** @param bytes that the request says it has; undefined: it does not say */
  async maxBytesFor(sql: Sql, fingerprint: Buffer, bytes: number | undefined): Promise<number | undefined> {
    const key = fingerprint.toString('hex');
    const isSmall = bytes !== undefined && bytes <= MAX_BYTES;
    if (isSmall && (this.#until.get(key) ?? 0) > Date.now()) return MAX_BYTES;
    const maxBytes = await (isSmall ? maxBytesOfSmall : maxBytesFor)(sql, fingerprint);
    if (maxBytes === undefined) this.#until.delete(key);
    else this.#until.set(key, Date.now() + KNOWN_FOR_MS);
    return maxBytes;
  }
}

const IS_ISSUED = 'certificate is not null and sha256(certificate) = $1';

/** `maxBytesFor` of a message that is small anyway. */
async function maxBytesOfSmall(sql: Sql, fingerprint: Buffer): Promise<number | undefined> {
  const [known] = await sql.query<{ isKnown: boolean }>(
    `select exists (select from devices where identity_fingerprint = $1)
         or exists (select from identity_certificates where ${IS_ISSUED}) as is_known`,
    [fingerprint],
  );
  return known?.isKnown === true ? MAX_BYTES : undefined;
}

/**
 * How many bytes a message of this identity may have: large only while a list was asked for and not yet taken. undefined: no device
 * enrolled with it and none may.
 */
async function maxBytesFor(sql: Sql, fingerprint: Buffer): Promise<number | undefined> {
  const [known] = await sql.query<{ isListAwaited: boolean }>(
    `select coalesce(bool_or(exists (
        select from commands where commands.device_id = device.id and hand_overs > 0
           and state in ('queued', 'handed_over', 'not_now', 'withdrawn') and request_type = any($2))), false) as is_list_awaited
       from (select id from devices where identity_fingerprint = $1
             union all
             select null from identity_certificates where ${IS_ISSUED}) as device
     having count(*) > 0`,
    [fingerprint, LISTS],
  );
  if (!known) return undefined;
  return known.isListAwaited ? MAX_LIST_BYTES : MAX_BYTES;
}

/** Large is a response with a list, and nothing else. @throws CataloguedError `request.too_large` */
export function refuseUnlessList(message: DeviceMessage, bytes: number): void {
  if (bytes <= MAX_BYTES) return;
  const isList =
    message.type === 'Report' &&
    message.status === 'Acknowledged' &&
    LIST_KEYS.some((key) => typeof message.dict[key] === 'object');
  if (!isList) throw new CataloguedError('request.too_large', { facts: { bytes } });
}

/** Counts what is being served. */
export class Admission {
  readonly #requests = new AtOnce(MAX_REQUESTS_OF_IDENTITY);
  #bytes = 0;

  /**
   * @param bytes that the request says or may have
   * @returns gives it back, once
   * @throws CataloguedError `server.unavailable`: the device comes again
   */
  enter(identity: string, bytes: number): () => void {
    if (this.#bytes + bytes > MAX_BYTES_IN_FLIGHT) throw busy('too many bytes in flight');
    const leave = this.#requests.enter(identity);
    if (!leave) throw busy('too many requests of one identity');
    this.#bytes += bytes;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#bytes -= bytes;
      leave();
    };
  }
}

const busy = (reason: string) => new CataloguedError('server.unavailable', { facts: { reason } });

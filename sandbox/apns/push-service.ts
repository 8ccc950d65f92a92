// A pretend Apple Push Notification service: TLS and HTTP/2, client certificate with the topic in its UID, one stored push a device.
import { randomUUID } from 'node:crypto';
import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { constants, createSecureServer } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import type { Clock } from '../clock.ts';
import type { HoldPoints } from '../hold-points.ts';
import { shut } from '../listeners.ts';
import type { StateFile } from '../state-file.ts';
import { PUSH_REFUSALS, readPush } from './push-refusals.ts';
import type { PushClient, PushRefusal } from './push-refusals.ts';

export interface PushTarget {
  readonly name: string;
  readonly topic: string;
  /** The device no longer takes pushes of this topic: 410. */
  readonly isGone: boolean;
  /** False when the device cannot be reached now: the push is kept until it can. */
  deliver(payload: Buffer): boolean;
}

export interface PushDirectory {
  find(token: string): PushTarget | undefined;
}

/** Misbehavior to order. */
export interface PushKnobs {
  /** Refuses this many pushes (of one device, if named) with this reason. */
  refuse?: { reason: PushRefusal; times: number; device?: string };
  /** Accepts pushes and loses them. */
  isLosing: boolean;
  /** Responds after this many milliseconds. */
  delayMs: number;
  /** More pushes than this for one device within a second: 429. */
  perSecond: number;
}

interface StoredPush {
  readonly payload: string;
  /** By the sandbox's clock, milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface PushState {
  counts: Record<string, number>;
  stored: Record<string, StoredPush>;
}

export interface PushServiceOptions {
  readonly key: string;
  readonly certificate: string;
  /** The authority whose client certificates are Apple's. */
  readonly appleAuthority: string;
  readonly directory: PushDirectory;
  readonly clock: Clock;
  readonly holds: HoldPoints;
  readonly file: StateFile<PushState>;
}

export class PushService {
  readonly knobs: PushKnobs = { isLosing: false, delayMs: 0, perSecond: 50 };
  readonly server: Http2SecureServer;
  readonly #options: PushServiceOptions;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #recent = new Map<string, number[]>();
  #state: PushState;

  private constructor(options: PushServiceOptions, state: PushState) {
    this.#options = options;
    this.#state = state;
    this.server = createSecureServer({
      key: options.key,
      cert: options.certificate,
      ca: options.appleAuthority,
      requestCert: true,
      // Apple returns 403 for a certificate it does not know, so the handshake must not end here.
      rejectUnauthorized: false,
    });
    this.server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
    });
    this.server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      void this.#serve(stream, headers).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
  }

  static async open(options: PushServiceOptions): Promise<PushService> {
    return new PushService(options, (await options.file.read()) ?? { counts: {}, stored: {} });
  }

  /** accepted, delivered, stored, coalesced, and one entry a refusal. */
  counts(): Readonly<Record<string, number>> {
    return { ...this.#state.counts };
  }

  /** Sends GOAWAY on every connection; streams that run are finished. */
  goAway(): number {
    const sessions = [...this.#sessions];
    for (const session of sessions) {
      session.goaway(constants.NGHTTP2_NO_ERROR);
      session.close();
    }
    return sessions.length;
  }

  /** As from a server whose push certificate is of the device's topic. @returns why Apple refuses it; undefined: it was accepted */
  async push(token: string, payload: Buffer): Promise<PushRefusal | undefined> {
    const target = this.#options.directory.find(token);
    const refusal = this.#judge(token, target, { kind: 'topic', topic: target?.topic ?? '' });
    this.#count(refusal ?? 'accepted');
    const isDelivered = refusal === undefined && target !== undefined && !this.knobs.isLosing;
    if (isDelivered) await this.#deliver(token, target, payload, undefined);
    return refusal;
  }

  /** Delivers what was stored for a device that can be reached again. */
  async deliverStored(token: string): Promise<void> {
    const stored = this.#state.stored[token];
    if (!stored) return;
    const isStale = stored.expiresAt <= this.#options.clock.now().getTime();
    if (!isStale && !this.#options.directory.find(token)?.deliver(Buffer.from(stored.payload, 'base64')))
      return;
    delete this.#state.stored[token];
    this.#count(isStale ? 'expired' : 'delivered');
    await this.#save();
  }

  async close(): Promise<void> {
    await shut(this.server);
    await this.#save();
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const header = (name: string): string | undefined => headers[name] as string | undefined;
    const request = { method: header(':method') ?? '', path: header(':path') ?? '', header, body };
    const client = whoAsks(stream.session?.socket as TLSSocket | undefined);
    const read = readPush(request, client);
    const target = 'token' in read ? this.#options.directory.find(read.token) : undefined;
    await this.#options.holds.pass('apns.push', 'before', target?.name);
    if (this.knobs.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.knobs.delayMs));
    const refusal = 'refusal' in read ? read.refusal : this.#judge(read.token, target, client);
    if (refusal === undefined && 'token' in read && target) {
      this.#count('accepted');
      if (!this.knobs.isLosing) await this.#deliver(read.token, target, body, header('apns-expiration'));
    } else this.#count(refusal ?? 'BadDeviceToken');
    await this.#options.holds.pass('apns.push', 'after', target?.name);
    this.#respond(stream, header('apns-id'), refusal);
  }

  #judge(token: string, target: PushTarget | undefined, client: PushClient): PushRefusal | undefined {
    const ordered = this.knobs.refuse;
    if (ordered && ordered.times > 0 && (ordered.device === undefined || ordered.device === target?.name)) {
      ordered.times -= 1;
      return ordered.reason;
    }
    if (!target) return 'BadDeviceToken';
    if (client.kind !== 'topic' || client.topic !== target.topic) return 'DeviceTokenNotForTopic';
    if (target.isGone) return 'Unregistered';
    return this.#isTooFast(token) ? 'TooManyRequests' : undefined;
  }

  #isTooFast(token: string): boolean {
    const now = Date.now();
    const recent = (this.#recent.get(token) ?? []).filter((at) => at > now - 1000);
    recent.push(now);
    this.#recent.set(token, recent);
    return recent.length > this.knobs.perSecond;
  }

  /** Apple keeps only the newest push of a device that cannot be reached. Its time to live counts from its arrival. */
  async #deliver(
    token: string,
    target: PushTarget,
    payload: Buffer,
    expiration: string | undefined,
  ): Promise<void> {
    if (target.deliver(payload)) {
      this.#count('delivered');
      if (!this.#state.stored[token]) return;
      delete this.#state.stored[token];
    } else {
      const livesMs =
        expiration === undefined ? Number.MAX_SAFE_INTEGER / 2 : Number(expiration) * 1000 - Date.now();
      if (livesMs <= 0) return this.#count('expired');
      this.#count(this.#state.stored[token] ? 'coalesced' : 'stored');
      const expiresAt = this.#options.clock.now().getTime() + livesMs;
      this.#state.stored[token] = { payload: payload.toString('base64'), expiresAt };
    }
    await this.#save();
  }

  #respond(stream: ServerHttp2Stream, apnsId: string | undefined, refusal: PushRefusal | undefined): void {
    if (stream.destroyed) return;
    const id = { 'apns-id': apnsId ?? randomUUID() };
    if (refusal === undefined) {
      stream.respond({ ':status': 200, ...id });
      stream.end();
      return;
    }
    const status = PUSH_REFUSALS[refusal];
    const timestamp = status === 410 ? { timestamp: this.#options.clock.now().getTime() } : {};
    stream.respond({ ':status': status, 'content-type': 'application/json', ...id });
    stream.end(JSON.stringify({ reason: refusal, ...timestamp }));
  }

  #count(what: string): void {
    this.#state.counts[what] = (this.#state.counts[what] ?? 0) + 1;
  }

  #save(): Promise<void> {
    return this.#options.file.write(() => this.#state);
  }
}

function whoAsks(socket: TLSSocket | undefined): PushClient {
  const raw = socket?.getPeerCertificate().raw;
  if (!socket || !raw) return { kind: 'none' };
  const topic = readCertificate(raw).userId;
  if (!socket.authorized || !topic?.startsWith('com.apple.mgmt')) return { kind: 'unknown' };
  return { kind: 'topic', topic };
}

// Wakes devices through Apple's push service: one long-lived HTTP/2 connection for each push certificate
// (Apple, "Sending notification requests to APNs"; the MDM push carries the PushMagic only).
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { CataloguedError } from '../../domain/failures.ts';
import { openTunnel, proxyFor } from '../outward/proxy.ts';
import { connectionFailure, refusal, type ApnsResponse } from './push-refusal.ts';

export interface ApnsSettings {
  /** e.g. https://api.push.apple.com (also served on port 2197). */
  readonly url: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** The UID of the push certificate's subject. */
  readonly topic: string;
  /** PEM; absent: the authorities that Node trusts. */
  readonly authorities?: readonly string[];
}

export interface Push {
  readonly token: Uint8Array;
  readonly pushMagic: string;
}

const TIMEOUT_MS = 10_000;
/** APNs keeps a push for a device that is off, and only the newest one. */
const KEPT_FOR_SECONDS = 3600;
const MAX_ANSWER_BYTES = 16_384;

export class ApnsClient {
  readonly #settings: ApnsSettings;
  #session: ClientHttp2Session | undefined;
  #tunnel: Promise<Duplex> | undefined;

  constructor(settings: ApnsSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves when APNs accepts the push, which says nothing about the device. A push is repeated once when its connection
   * broke: APNs keeps only the newest push of a device, so a second one does no harm.
   * @throws CataloguedError `apns.*`; `apns.certificate_refused` means that no push of this topic will go through
   */
  async push(push: Push): Promise<void> {
    try {
      await this.#send(await this.#connected(), push);
    } catch (error) {
      if (!(error instanceof BrokenConnection) || !error.wasUp) throw connectionFailure(error);
      const again = async () => this.#send(await this.#connected(), push);
      await again().catch((failure: unknown) => {
        throw connectionFailure(failure);
      });
    }
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #connected(): Promise<ClientHttp2Session> {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const url = new URL(this.#settings.url);
    const proxy = proxyFor(url);
    if (proxy === undefined) return this.#opened();
    // One tunnel for all that wait for it.
    this.#tunnel ??= openTunnel(proxy, url).finally(() => {
      this.#tunnel = undefined;
    });
    const socket = await this.#tunnel;
    return this.#session ?? this.#opened(socket);
  }

  #opened(tunnel?: Duplex): ClientHttp2Session {
    const { url, certificatePem: cert, privateKeyPem: key, authorities } = this.#settings;
    const identity = { cert, key, ...(authorities && { ca: [...authorities] }) };
    const { hostname: servername } = new URL(url);
    const session = connect(url, {
      ...identity,
      settings: { enablePush: false },
      ...(tunnel && {
        createConnection: () =>
          tls.connect({ ...identity, socket: tunnel, servername, ALPNProtocols: ['h2'] }),
      }),
    });
    const closeSession = () => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('error', (error) => {
      whyBroken.set(session, error);
      closeSession();
    });
    session.on('close', closeSession);
    // After GOAWAY the open requests may end, but new ones need a new connection.
    session.on('goaway', () => {
      closeSession();
      session.close();
    });
    session.unref();
    this.#session = session;
    return session;
  }

  async #send(session: ClientHttp2Session, push: Push): Promise<void> {
    const stream = openStream(session, {
      ':method': 'POST',
      ':path': `/3/device/${Buffer.from(push.token).toString('hex')}`,
      'apns-topic': this.#settings.topic,
      'apns-push-type': 'mdm',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(Date.now() / 1000) + KEPT_FOR_SECONDS),
    });
    const response = await responseOf(session, stream, JSON.stringify({ mdm: push.pushMagic }));
    if (response.status !== 200) throw refusal(response);
  }
}

/** A broken connection tells its streams only that it broke. */
const whyBroken = new WeakMap<ClientHttp2Session, unknown>();

/** The connection ended before the response came; `cause` says why. */
class BrokenConnection extends Error {
  /** It had been usable: worth another try at once. */
  readonly wasUp: boolean;

  constructor(wasUp: boolean, cause: unknown) {
    super('the connection to APNs broke', { cause });
    this.wasUp = wasUp;
  }
}

function openStream(session: ClientHttp2Session, headers: Record<string, string>): ClientHttp2Stream {
  try {
    return session.request(headers);
  } catch (error) {
    throw new BrokenConnection(true, error); // e.g. GOAWAY arrived this moment
  }
}

function responseOf(
  session: ClientHttp2Session,
  stream: ClientHttp2Stream,
  body: string,
): Promise<ApnsResponse> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let retryAfter: string | undefined;
    let text = '';
    const timer = setTimeout(() => {
      // A connection that sends nothing for so long is dead, whatever TCP believes.
      session.destroy(new CataloguedError('apns.unreachable', { facts: { reason: 'timeout' } }));
    }, TIMEOUT_MS);
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      status = Number(headers[constants.HTTP2_HEADER_STATUS] ?? 0);
      const header = headers['retry-after'];
      retryAfter = typeof header === 'string' ? header : undefined;
    });
    stream.on('data', (chunk: string) => {
      if (text.length < MAX_ANSWER_BYTES) text += chunk;
    });
    let streamError: unknown;
    stream.on('error', (error) => {
      streamError = error;
    });
    stream.on('close', () => {
      clearTimeout(timer);
      if (status !== 0 && streamError === undefined) resolve({ status, body: text, retryAfter });
      else reject(new BrokenConnection(!session.connecting, whyBroken.get(session) ?? streamError));
    });
    stream.end(body);
  });
}

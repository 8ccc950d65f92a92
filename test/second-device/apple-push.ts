// Apple's push service for one device: takes what an MDM server may send, in HTTP/2, from the holder of the topic's certificate.
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

interface Registration {
  readonly topic: string;
  readonly deliver: (pushMagic: string) => void;
}

export class ApplePush {
  readonly url: string;
  /** Pushes that Apple would refuse, each with its reason. */
  readonly refused: string[] = [];
  readonly #server: Http2SecureServer;
  readonly #devices = new Map<string, Registration>();

  private constructor(server: Http2SecureServer) {
    this.#server = server;
    this.url = `https://localhost:${(server.address() as AddressInfo).port}`;
    server.on('stream', (stream, headers) => {
      this.#receive(stream, headers[':method'] ?? '', headers[':path'] ?? '', String(headers['apns-topic']));
    });
  }

  static async listen(): Promise<ApplePush> {
    const server = createSecureServer({ requestCert: true, rejectUnauthorized: false });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ApplePush(server);
  }

  /** PEM; before this nobody can connect. */
  serveWith(certificate: string, key: string): void {
    this.#server.setSecureContext({ cert: certificate, key });
  }

  register(token: Uint8Array, registration: Registration): void {
    this.#devices.set(Buffer.from(token).toString('hex'), registration);
  }

  unregister(token: Uint8Array): void {
    this.#devices.delete(Buffer.from(token).toString('hex'));
  }

  close(): void {
    this.#server.close();
  }

  #receive(stream: ServerHttp2Stream, method: string, path: string, topic: string): void {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const device = this.#devices.get(/^\/3\/device\/([0-9a-f]{64})$/.exec(path)?.[1] ?? '');
      const magic = magicIn(Buffer.concat(chunks).toString());
      const refusal = this.#refusalOf(stream, device, { method, topic, magic });
      if (refusal !== undefined) {
        this.refused.push(refusal[1]);
        stream.respond({ ':status': refusal[0] });
        stream.end(JSON.stringify({ reason: refusal[1] }));
        return;
      }
      stream.respond({ ':status': 200 });
      stream.end();
      device?.deliver(magic ?? '');
    });
  }

  #refusalOf(
    stream: ServerHttp2Stream,
    device: Registration | undefined,
    { method, topic, magic }: { method: string; topic: string; magic: string | undefined },
  ): readonly [number, string] | undefined {
    const peer = (stream.session?.socket as TLSSocket | undefined)?.getPeerCertificate();
    const holds = (peer?.subject as { UID?: string } | undefined)?.UID;
    if (method !== 'POST') return [405, 'MethodNotAllowed'];
    if (device === undefined) return [410, 'Unregistered'];
    if (holds !== device.topic) return [403, 'BadCertificate'];
    if (topic !== 'undefined' && topic !== device.topic) return [400, 'BadTopic'];
    return magic === undefined ? [400, 'PayloadEmpty'] : undefined;
  }
}

/** A push for device management is `{"mdm": PushMagic}` and nothing else. */
function magicIn(body: string): string | undefined {
  try {
    const { mdm, ...others } = JSON.parse(body) as { mdm?: unknown };
    return typeof mdm === 'string' && Object.keys(others).length === 0 ? mdm : undefined;
  } catch {
    return undefined;
  }
}

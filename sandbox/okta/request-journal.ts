// What a pretend tenant remembers of requests: when, for what, how they ended, and with which secret, which is told by a fingerprint only.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface JournaledRequest {
  /** Real time, milliseconds since 1970; the sandbox's clock may be moved. */
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** token · devices · challenge · scep.PKIOperation · … */
  readonly name: string;
  /** 0: the connection was cut. */
  readonly status: number;
  /** `fingerprintOf` the password or client secret, or the id of the key; null: it carried none. */
  readonly secret: string | null;
}

/** What of a request may carry a secret. */
interface Carrying {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const MAX_REQUESTS = 200_000;

/** Tells secrets apart without telling them. */
export const fingerprintOf = (secret: string): string =>
  createHash('sha256').update(secret).digest('hex').slice(0, 16);

export class RequestJournal {
  #requests: JournaledRequest[] = [];

  /** Call what it returns with the status when the request has ended. */
  begin(name: string, request: Carrying): (status: number) => void {
    const beganAtMs = Date.now();
    const secret = secretOf(request);
    return (status) => {
      this.#requests.push({ beganAtMs, endedAtMs: Date.now(), name, status, secret });
      if (this.#requests.length > MAX_REQUESTS) this.#requests = this.#requests.slice(MAX_REQUESTS / 2);
    };
  }

  since(timeMs: number): readonly JournaledRequest[] {
    return this.#requests.filter(({ beganAtMs }) => beganAtMs >= timeMs);
  }
}

function secretOf({ headers, body }: Carrying): string | null {
  const basic = /^Basic (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const pair = Buffer.from(basic, 'base64').toString('utf8');
    return fingerprintOf(decoded(pair.slice(pair.indexOf(':') + 1)));
  }
  const assertion = new URLSearchParams(body.toString('utf8')).get('client_assertion');
  if (assertion === null) return null;
  try {
    const head = JSON.parse(Buffer.from(assertion.split('.')[0] ?? '', 'base64url').toString('utf8')) as {
      kid?: string;
    };
    return head.kid ?? null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

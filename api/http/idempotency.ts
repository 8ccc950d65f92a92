// Repeated requests: an Idempotency-Key is bound to its caller and body, and gets the first response again, saved in the transaction of the change.
import { createHmac, randomBytes } from 'node:crypto';
import { uuidFromName } from '../../adapters/store/devices/command-uuid.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { claimKey, findSavedResponse, saveResponse } from '../../adapters/store/base/idempotency.ts';
import { saveInstanceSettingOnce } from '../../adapters/store/base/instance-settings.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { ProblemError } from './problem.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const FINGERPRINT_KEY = 'idempotency_fingerprint_key';

export interface IdempotentRequest {
  readonly caller: string;
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** The response shows a secret: it is saved sealed. */
  readonly isSealed: boolean;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

export class Idempotency {
  readonly #database: Database;
  readonly #sealer: Sealer;
  #fingerprintKey: Buffer | undefined;

  constructor(database: Database, sealer: Sealer) {
    this.#database = database;
    this.#sealer = sealer;
  }

  /** @throws ProblemError `request.invalid` */
  static readKey(header: string | undefined): string | undefined {
    if (header === undefined) return undefined;
    // The draft makes it a quoted string; most callers send it bare.
    const key = header.replace(/^"(.*)"$/, '$1');
    if (KEY.test(key)) return key;
    throw new ProblemError('request.invalid', {
      errors: [
        { field: 'Idempotency-Key', reason: '1 to 255 visible ASCII characters', code: 'invalid_format' },
      ],
    });
  }

  /** Bodies may hold secrets, so that a plain hash could be guessed at: the fingerprint is keyed. */
  async fingerprint({
    method,
    path,
    body,
  }: Pick<IdempotentRequest, 'method' | 'path' | 'body'>): Promise<Buffer> {
    this.#fingerprintKey ??= await this.#openKey();
    return createHmac('sha256', this.#fingerprintKey)
      .update(`${method} ${path}\n${canonical(body)}`)
      .digest();
  }

  /**
   * Does `work` once for a key, in one transaction with the saved response; the same request waits for it meanwhile.
   * @throws ProblemError `request.idempotency_key_reused`
   */
  async once(request: IdempotentRequest, work: (sql: Sql) => Promise<ApiResponse>): Promise<ApiResponse> {
    const fingerprint = await this.fingerprint(request);
    const context = `response:${request.caller}:${request.key}`;
    return this.#database.inTransaction(async (sql) => {
      if (!(await claimKey(sql, request.caller, request.key, fingerprint))) {
        const saved = await findSavedResponse(sql, request.caller, request.key);
        if (!saved?.fingerprint.equals(fingerprint)) throw new ProblemError('request.idempotency_key_reused');
        return { status: saved.status ?? 200, body: this.#openBody(saved.body, context) };
      }
      const response = await work(sql);
      const body = request.isSealed ? { sealed: this.#sealBody(response.body, context) } : response.body;
      await saveResponse(sql, request.caller, request.key, { status: response.status, body });
      return response;
    });
  }

  /** Binds a key whose work a workflow does; the workflow drops duplicates by that key. */
  async bind(request: Omit<IdempotentRequest, 'isSealed'>): Promise<void> {
    const fingerprint = await this.fingerprint(request);
    if (await claimKey(this.#database, request.caller, request.key, fingerprint)) return;
    const saved = await findSavedResponse(this.#database, request.caller, request.key);
    if (!saved?.fingerprint.equals(fingerprint)) throw new ProblemError('request.idempotency_key_reused');
  }

  #sealBody(body: unknown, context: string): string {
    return Buffer.from(this.#sealer.seal(Buffer.from(JSON.stringify(body)), context)).toString('base64');
  }

  #openBody(body: unknown, context: string): unknown {
    if (typeof body !== 'object' || body === null || !('sealed' in body) || typeof body.sealed !== 'string')
      return body;
    const plain = this.#sealer.open(Buffer.from(body.sealed, 'base64'), context);
    return JSON.parse(Buffer.from(plain).toString()) as unknown;
  }

  async #openKey(): Promise<Buffer> {
    const sealed = Buffer.from(this.#sealer.seal(randomBytes(32), FINGERPRINT_KEY)).toString('base64');
    const saved = await saveInstanceSettingOnce(this.#database, FINGERPRINT_KEY, { sealed });
    return Buffer.from(this.#sealer.open(Buffer.from(saved.sealed, 'base64'), FINGERPRINT_KEY));
  }
}

/** JSON with sorted keys: the order in which a caller writes them says nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}

/** The id of what a workflow does for a key: the same request gets the same setup, or the same answer. */
export const idFromKey = (caller: string, key: string): string =>
  uuidFromName(['setup', caller, key].join('\n'));

// Writes down for people what reached Temporal and was not sealed by Odette, or sealed with a body that its message does not have. A flood makes
// few rows: the log has every kind once a minute.
import type { Logger } from 'pino';
import { appendAudit } from '../adapters/store/base/audit.ts';
import type { Database } from '../adapters/store/base/database.ts';
import type { Refusal } from './sealed-worker.ts';

const WINDOW_MS = 60_000;
const MAX_ROWS_IN_WINDOW = 20;
const NOT_SEALED = 'refused a message in Temporal that Odette did not encrypt';
const WRONG_BODY = 'ignored a message in Temporal whose body its workflow does not accept';

export class RefusalRecord {
  readonly #database: Database;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  #windowEndsMs = 0;
  /** What was written in this window: the same again is the same attack. */
  #written = new Set<string>();

  constructor(database: Database, log: Pick<Logger, 'warn'>, now: () => number = Date.now) {
    this.#database = database;
    this.#log = log;
    this.#now = now;
  }

  readonly note = (refusal: Refusal): void => {
    if (this.#now() >= this.#windowEndsMs) {
      this.#windowEndsMs = this.#now() + WINDOW_MS;
      this.#written = new Set();
    }
    const { kind, name, workflowId } = refusal;
    const key = JSON.stringify(refusal);
    if (this.#written.has(key) || this.#written.size >= MAX_ROWS_IN_WINDOW) return;
    this.#written.add(key);
    const isSealed = kind === 'signal_body' || kind === 'update_body';
    this.#log.warn(refusal, isSealed ? WRONG_BODY : NOT_SEALED);
    appendAudit(this.#database, {
      actor: 'system',
      // Who can seal is no stranger: no alarm.
      action: isSealed ? 'temporal.body_refused' : 'temporal.refused',
      subject: `workflow:${workflowId}`,
      detail: { kind, name },
    }).catch((error: unknown) => this.#log.warn({ err: error }, 'a refusal could not be audited'));
  };
}

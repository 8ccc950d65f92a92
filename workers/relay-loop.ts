// The relay: carries outbox rows to Temporal, at least once, in order for each key, for as long as it takes.
import type { Client } from '@temporalio/client';
import type { Registry } from 'prom-client';
import type { Database } from '../adapters/store/base/database.ts';
import {
  type ClaimedMessage,
  type Delivered,
  type OutboxOutcome,
  OUTBOX_CHANNEL,
  claimOutbox,
  closeOutbox,
  countYoungRollouts,
  releaseOutbox,
} from '../adapters/store/base/outbox.ts';
import { wakeWaiters } from '../adapters/store/integration/okta-endpoints.ts';
import { CataloguedError } from '../domain/failures.ts';
import { LANES } from '../domain/lanes.ts';
import { deliver } from './outbox-delivery.ts';
import { pruneExpiredRows } from './prune-expired-rows.ts';
import { relayMetrics } from './relay-metrics.ts';
import { recordSilentDevices } from './silent-devices.ts';
import { isOutage } from './temporal-outage.ts';

export interface RelayLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RelayDependencies {
  readonly database: Database;
  /** Connects on demand; rejects while Temporal is away, and connects anew when called again. */
  readonly temporal: () => Promise<Client>;
  readonly log: RelayLog;
  readonly metrics?: Registry;
}

const CONCURRENCY = 32;
/** Longer than any delivery may take: after it, a killed relay's rows are anybody's. */
const LEASE_SECONDS = 15;
const DELIVERY_TIMEOUT_MS = 10_000;
const POLL_MS = 1_000;
/** A row that was delivered is closed by the next claim, and no later than this. */
const CLOSE_MS = 250;
const WAKE_INTERVAL_MS = 1_000;
const PRUNE_INTERVAL_MS = 60 * 60_000;
/** A call to an absent server itself waits for it, up to its deadline: the pauses in between may be short. */
const OUTAGE_WAIT_MS = [100, 250, 500, 1_000];
const MAX_ASIDE_SECONDS = 5;
/** Rollouts of the lanes behind the devices' that may be under way at once: a replay or a change of 10,000 devices is told in this portion. */
const MAX_YOUNG_ROLLOUTS = 300;
const COUNT_INTERVAL_MS = 1_000;

/** Starts at once and never gives up; `stop` ends it when what is under way is done. */
export function startRelay(dependencies: RelayDependencies): { stop(): Promise<void> } {
  const relay = new Relay(dependencies);
  return { stop: () => relay.stop() };
}

class Relay {
  readonly #dependencies: RelayDependencies;
  readonly #metrics: ReturnType<typeof relayMetrics> | undefined;
  readonly #underWay = new Set<Promise<void>>();
  /** The keys of these, and whether another row of one was written meanwhile. */
  readonly #keys = new Map<string, { isTold: boolean }>();
  /** Rows that were delivered, for the next claim to close. */
  readonly #delivered: Delivered[] = [];
  #closing: NodeJS.Timeout | undefined;
  /** Keys of rows that were written during the present claim, which may not have seen them. */
  #toldMeanwhile = new Set<string>();
  /** The last claim was bounded: more may wait. */
  #mayHaveMore = true;
  readonly #loop: Promise<void>;
  #pruning: Promise<void> = Promise.resolve();
  #hasStopped = false;
  /** Deliveries that failed in a row because Temporal was away. */
  #outages = 0;
  #wake: () => void = () => undefined;
  #isWoken = false;
  /** For rollouts of the lanes behind the devices'. */
  #room = 0;
  #nextCountMs = 0;

  constructor(dependencies: RelayDependencies) {
    this.#dependencies = dependencies;
    this.#metrics = dependencies.metrics && relayMetrics(dependencies.metrics);
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#hasStopped = true;
    this.#woken();
    await this.#loop;
    await Promise.all(this.#underWay);
    clearTimeout(this.#closing);
    // Where the database is away, their leases end by themselves.
    await closeOutbox(this.#dependencies.database, this.#delivered).catch(() => undefined);
  }

  #woken = (): void => {
    this.#isWoken = true;
    this.#wake();
  };

  /** Behind a row that is being delivered nothing can be claimed: its end brings the next claim. */
  #onNotification = (orderingKey: string): void => {
    for (const told of orderingKey === '' ? this.#keys.values() : [this.#keys.get(orderingKey)])
      if (told !== undefined) told.isTold = true;
    this.#toldMeanwhile.add(orderingKey);
    if (!this.#keys.has(orderingKey)) this.#woken();
  };

  /** Resolves after `milliseconds`, or at once when woken since the last pause. */
  async #pause(milliseconds: number): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isWoken = false;
  }

  async #run(): Promise<void> {
    const { database, log } = this.#dependencies;
    let stopListening: (() => Promise<void>) | undefined;
    let [nextPruneMs, nextWakeMs] = [0, 0];
    while (!this.#hasStopped) {
      try {
        stopListening ??= await database.listen(OUTBOX_CHANNEL, this.#onNotification);
        if (Date.now() >= nextPruneMs) {
          nextPruneMs = Date.now() + PRUNE_INTERVAL_MS;
          this.#pruneExpiredRows();
        }
        if (Date.now() >= nextWakeMs) {
          nextWakeMs = Date.now() + WAKE_INTERVAL_MS;
          await wakeWaiters(database);
        }
        const claimed = await this.#claim();
        for (const message of claimed) this.#start(message);
      } catch (error) {
        log.warn({ err: error }, 'the outbox cannot be read; trying again');
      }
      await this.#pause(POLL_MS);
    }
    await stopListening?.().catch(() => undefined);
    await this.#pruning;
  }

  /** Beside the deliveries: a large fleet leaves much to be swept. */
  #pruneExpiredRows(): void {
    const { database, log } = this.#dependencies;
    const hasStopped = () => this.#hasStopped;
    this.#pruning = pruneExpiredRows(database, hasStopped)
      .then(() => recordSilentDevices(database, hasStopped))
      .then(
        () => undefined,
        (error: unknown) => {
          log.warn({ err: error }, 'pruning expired rows failed; retrying in an hour');
        },
      );
  }

  /**
   * While Temporal is away one row is enough to notice its return. The next claim comes with each new row, and with each delivery that
   * ends where more may wait.
   */
  async #claim(): Promise<ClaimedMessage[]> {
    const free = this.#outages > 0 ? (this.#underWay.size === 0 ? 1 : 0) : CONCURRENCY - this.#underWay.size;
    const limit = Math.max(0, free);
    this.#mayHaveMore = true;
    if (limit <= 0 && this.#delivered.length === 0) return [];
    const { database } = this.#dependencies;
    if (Date.now() >= this.#nextCountMs) {
      this.#nextCountMs = Date.now() + COUNT_INTERVAL_MS;
      this.#room = MAX_YOUNG_ROLLOUTS - (await countYoungRollouts(database));
    }
    const maxLane = this.#room > 0 ? LANES.routine : LANES.device;
    this.#toldMeanwhile = new Set();
    const delivered = [...this.#delivered];
    const claimed = await claimOutbox(database, { limit, leaseSeconds: LEASE_SECONDS, maxLane, delivered });
    this.#delivered.splice(0, delivered.length);
    this.#room -= claimed.filter(({ lane }) => lane > LANES.device).length;
    this.#mayHaveMore = claimed.length >= limit;
    return claimed;
  }

  #start(message: ClaimedMessage): void {
    const { orderingKey } = message;
    const meanwhile = this.#toldMeanwhile;
    const told = { isTold: message.hasNext || meanwhile.has(orderingKey) || meanwhile.has('') };
    this.#keys.set(orderingKey, told);
    const work = this.#handle(message)
      .catch((error: unknown) => {
        // Its lease ends by itself.
        this.#dependencies.log.warn(
          { err: error, event: message.id },
          'an outbox row could not be given back',
        );
        return true;
      })
      .then((mayHaveMore) => {
        this.#underWay.delete(work);
        this.#keys.delete(orderingKey);
        if (mayHaveMore || told.isTold || this.#mayHaveMore) this.#woken();
        else this.#closeSoon();
      });
    this.#underWay.add(work);
  }

  /** Unless a claim comes before that. */
  #closeSoon(): void {
    this.#closing ??= setTimeout(() => {
      this.#closing = undefined;
      if (this.#delivered.length > 0) this.#woken();
    }, CLOSE_MS);
  }

  /** Whether its key may be claimed anew. */
  async #handle(claimed: ClaimedMessage): Promise<boolean> {
    const { database, log, temporal } = this.#dependencies;
    const { id: event, orderingKey, message, attempts } = claimed;
    const facts = { event, key: orderingKey, kind: message.kind, attempts };
    let outcome: OutboxOutcome;
    try {
      const client = await temporal();
      outcome = await client.withDeadline(Date.now() + DELIVERY_TIMEOUT_MS, () =>
        deliver(client, database, claimed),
      );
    } catch (error) {
      if (isStoreAway(error)) await this.#settle(() => releaseOutbox(database, event, 0, false));
      else if (isOutage(error)) await this.#waitForTemporal(event, facts, error);
      else await this.#postpone(claimed, facts, error);
      return true;
    }
    if (this.#outages > 0) log.info({}, 'Temporal responds again');
    this.#outages = 0;
    this.#delivered.push({ id: event, outcome });
    this.#metrics?.delivered(outcome, claimed.createdAt);
    return false;
  }

  async #postpone({ id, attempts }: ClaimedMessage, facts: object, error: unknown): Promise<void> {
    const { database, log } = this.#dependencies;
    const waitSeconds = Math.min(300, 2 ** Math.min(attempts, 9));
    log.error({ ...facts, err: error, waitSeconds }, 'Temporal refuses a message; trying again later');
    this.#metrics?.failed('refused');
    await this.#settle(() => releaseOutbox(database, id, waitSeconds, true));
  }

  async #waitForTemporal(event: string, facts: object, error: unknown): Promise<void> {
    const { database, log } = this.#dependencies;
    if (this.#outages === 0)
      log.warn({ ...facts, err: error }, 'Temporal does not respond; the outbox waits');
    this.#metrics?.failed('outage');
    // Another key's row is next: what only this one meets must not hold up all the others.
    const aside = Math.min(this.#outages, MAX_ASIDE_SECONDS);
    await this.#settle(() => releaseOutbox(database, event, aside, false));
    const wait = OUTAGE_WAIT_MS[Math.min(this.#outages, OUTAGE_WAIT_MS.length - 1)] ?? POLL_MS;
    this.#outages += 1;
    await new Promise((resolve) => setTimeout(resolve, this.#hasStopped ? 0 : wait));
  }

  /** What became of a row is written down as soon as the database can be reached again: its key waits for that. */
  async #settle<Result>(write: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!isStoreAway(error) || this.#hasStopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }
}

const isStoreAway = (error: unknown): boolean =>
  error instanceof CataloguedError && error.code === 'store.unavailable';

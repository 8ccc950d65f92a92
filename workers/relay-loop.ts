// The relay: carries outbox rows to Temporal, at least once, in order for each key, for as long as it takes.
import type { Client } from '@temporalio/client';
import { type Registry, Counter, Gauge, Histogram } from 'prom-client';
import type { Database } from '../adapters/store/base/database.ts';
import {
  type ClaimedMessage,
  type OutboxOutcome,
  OUTBOX_CHANNEL,
  claimOutbox,
  closeOutbox,
  countYoungRollouts,
  outboxBacklog,
  releaseOutbox,
} from '../adapters/store/base/outbox.ts';
import { wakeWaiters } from '../adapters/store/integration/okta-endpoints.ts';
import { CataloguedError } from '../domain/failures.ts';
import { LANES } from '../domain/lanes.ts';
import { deliver } from './outbox-delivery.ts';
import { pruneExpiredRows } from './prune-expired-rows.ts';
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
  }

  #woken = (): void => {
    this.#isWoken = true;
    this.#wake();
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
        stopListening ??= await database.listen(OUTBOX_CHANNEL, this.#woken);
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

  /** While Temporal is away one row is enough to notice its return. Each delivery that ends, and each new row, brings the next claim. */
  async #claim(): Promise<ClaimedMessage[]> {
    const limit = this.#outages > 0 ? (this.#underWay.size === 0 ? 1 : 0) : CONCURRENCY - this.#underWay.size;
    if (limit <= 0) return [];
    const { database } = this.#dependencies;
    if (Date.now() >= this.#nextCountMs) {
      this.#nextCountMs = Date.now() + COUNT_INTERVAL_MS;
      this.#room = MAX_YOUNG_ROLLOUTS - (await countYoungRollouts(database));
    }
    const maxLane = this.#room > 0 ? LANES.routine : LANES.device;
    const claimed = await claimOutbox(database, { limit, leaseSeconds: LEASE_SECONDS, maxLane });
    this.#room -= claimed.filter(({ lane }) => lane > LANES.device).length;
    return claimed;
  }

  #start(message: ClaimedMessage): void {
    const work = this.#handle(message)
      .catch((error: unknown) => {
        // The row was delivered and could not be closed, or could not be given back: its lease ends by itself.
        this.#dependencies.log.warn({ err: error, event: message.id }, 'an outbox row could not be closed');
      })
      .finally(() => {
        this.#underWay.delete(work);
        this.#woken();
      });
    this.#underWay.add(work);
  }

  async #handle(claimed: ClaimedMessage): Promise<void> {
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
      if (isStoreAway(error)) return this.#settle(() => releaseOutbox(database, event, 0, false));
      if (isOutage(error)) return this.#waitForTemporal(event, facts, error);
      const waitSeconds = Math.min(300, 2 ** Math.min(attempts, 9));
      log.error({ ...facts, err: error, waitSeconds }, 'Temporal refuses a message; trying again later');
      this.#metrics?.failed('refused');
      return this.#settle(() => releaseOutbox(database, event, waitSeconds, true));
    }
    if (this.#outages > 0) log.info({}, 'Temporal responds again');
    this.#outages = 0;
    await this.#settle(() => closeOutbox(database, event, outcome));
    this.#metrics?.delivered(outcome, claimed.createdAt);
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
  async #settle(write: () => Promise<void>): Promise<void> {
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

function relayMetrics(registry: Registry) {
  const registers = [registry];
  const deliveries = new Counter({
    name: 'odette_outbox_deliveries_total',
    help: 'Outbox rows delivered to Temporal, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const failures = new Counter({
    name: 'odette_outbox_failures_total',
    help: 'Failed attempts: Temporal unreachable (outage) or message refused',
    labelNames: ['kind'],
    registers,
  });
  const latency = new Histogram({
    name: 'odette_outbox_latency_seconds',
    help: 'Seconds from the commit of a change to its delivery to Temporal',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
    registers,
  });
  return {
    delivered(outcome: string, createdAt: Date) {
      deliveries.inc({ outcome });
      latency.observe((Date.now() - createdAt.getTime()) / 1000);
    },
    failed: (kind: string) => failures.inc({ kind }),
  };
}

/** Gauges of what waits, read from the database when the metrics are. */
export function outboxGauges(registry: Registry, database: Database): void {
  const oldest = new Gauge({
    name: 'odette_outbox_oldest_seconds',
    help: 'Age of the oldest waiting outbox row',
    registers: [registry],
  });
  new Gauge({
    name: 'odette_outbox_waiting',
    help: 'Outbox rows not yet delivered to Temporal',
    registers: [registry],
    async collect() {
      const backlog = await outboxBacklog(database);
      this.set(backlog.waiting);
      oldest.set(backlog.oldestSeconds);
    },
  });
}

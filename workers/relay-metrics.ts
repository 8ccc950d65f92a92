// What the relay measures: deliveries, failed attempts, how long a change waits for its delivery, and what waits now.
import { type Registry, Counter, Gauge, Histogram } from 'prom-client';
import type { Database } from '../adapters/store/base/database.ts';
import { outboxBacklog } from '../adapters/store/base/outbox.ts';

export function relayMetrics(registry: Registry) {
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

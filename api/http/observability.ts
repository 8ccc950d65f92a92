// One log line and one measurement for each request: which operation, how it ended, how long it took. Never a body or a query.
import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Database } from '../../adapters/store/base/database.ts';
import { readTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import { listIntegrations } from '../../adapters/store/integration/integrations.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import { readDeviceTlsEnd } from '../../adapters/store/devices/device-tls.ts';
import { pushCertificatesInUse } from '../../adapters/store/devices/push-certificates.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/;

export function observeRequests(log: Logger, registry: Registry): RequestHandler {
  const seconds = new Histogram({
    name: 'odette_http_request_seconds',
    help: 'Requests of the admin API, by operation and status',
    labelNames: ['operation', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (request, response, next) => {
    const started = process.hrtime.bigint();
    const given = request.get('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    response.locals['requestId'] = requestId;
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const {
        operationId = 'none',
        actor,
        failureCode,
      } = response.locals as Record<string, string | undefined>;
      const took = Number(process.hrtime.bigint() - started) / 1e9;
      const status = response.writableEnded ? response.statusCode : 499;
      if (operationId !== 'streamEvents')
        seconds.observe({ operation: operationId, status: String(status) }, took);
      const level = operationId === 'getHealth' || operationId === 'getReadiness' ? 'debug' : 'info';
      log[level](
        {
          requestId,
          operation: operationId,
          method: request.method,
          status,
          ms: Math.round(took * 1e3),
          actor,
          code: failureCode,
        },
        'request',
      );
    });
    next();
  };
}

/** Read when somebody asks for metrics. */
export function measureFleet(database: Database, registry: Registry): void {
  new Gauge({
    name: 'odette_devices',
    help: 'Devices in scope, by what is proven about them',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const { all } = await readTotals(database);
      for (const [state, count] of Object.entries(all.devices)) this.set({ state }, count);
      for (const [bucket, count] of Object.entries(all.buckets))
        this.set({ state: `bucket:${bucket}` }, count);
    },
  });
  new Gauge({
    name: 'odette_okta_sync_age_seconds',
    help: 'Seconds since Odette last read all devices of an integration from Okta; absent before the first time',
    labelNames: ['integration'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { id, name } of await listIntegrations(database)) {
        const { sweptAt } = await findOktaReads(database, id);
        if (sweptAt) this.set({ integration: name }, (Date.now() - sweptAt.getTime()) / 1000);
      }
    },
  });
  new Gauge({
    name: 'odette_tls_certificate_days_left',
    help: 'Days until the TLS certificate of the device listener expires; absent where a proxy terminates TLS',
    registers: [registry],
    async collect() {
      const end = await readDeviceTlsEnd(database);
      if (end) this.set((end.getTime() - Date.now()) / 86_400_000);
      else this.remove();
    },
  });
  new Gauge({
    name: 'odette_push_certificate_days_left',
    help: "Days until Apple's push certificate expires, for each topic that enrollments use",
    labelNames: ['topic'],
    registers: [registry],
    async collect() {
      const inUse = await pushCertificatesInUse(database);
      this.reset();
      for (const { topic, notAfter } of inUse)
        this.set({ topic }, (notAfter.getTime() - Date.now()) / 86_400_000);
    },
  });
}

// The relay process: carries the outbox to Temporal.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { listIntegrations } from '../adapters/store/integration/integrations.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { needsYou } from '../api/admin/needs-you.ts';
import { alarmsOf, partsOf } from '../api/admin/status.ts';
import { notificationSender } from './notification-sender.ts';
import { startNotifications } from './notifications.ts';
import { openProcessContext } from './process-context.ts';
import { serveHealth } from './health-server.ts';
import { publicUrlTls } from './public-url-tls.ts';
import { runProcess } from './run-process.ts';
import { startRelay } from './relay-loop.ts';
import { outboxGauges } from './relay-metrics.ts';

const SWEEPS_AGAIN_MS = 60 * 60 * 1000;

await runProcess('relay', async (context) => {
  const processContext = await openProcessContext(context, {
    name: 'odette-relay',
    connections: 8,
    preparesStatements: true,
  });
  const { config, log, database, ring, temporal, temporalSettings } = processContext;
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  outboxGauges(metrics, database);
  // A Temporal that was restored empty, or moved to, knows no sweeps, and whoever reaches it can delete them; where they are, nothing changes.
  const requestSweeps = async (): Promise<void> => {
    for (const { id } of await listIntegrations(database))
      await appendOutboxMessage(database, id, { kind: 'sweeps', integrationId: id, wanted: true });
  };
  await requestSweeps();
  const hourly = setInterval(() => {
    requestSweeps().catch((error: unknown) =>
      log.warn({ err: error }, 'cannot request the sweeps; trying again in an hour'),
    );
  }, SWEEPS_AGAIN_MS);
  const relay = startRelay({ database, temporal: () => Promise.resolve(temporal), log, metrics });
  const tlsOf = publicUrlTls(config.publicUrl);
  const notifications = startNotifications({
    database,
    log,
    send: notificationSender(database, ring, config.allowedPrivateHosts),
    readNeeds: async () => {
      const parts = await partsOf({ database, temporal, temporalNamespace: temporalSettings.namespace });
      const silent = [...(parts.temporal ? [] : ['Temporal']), ...(parts.worker ? [] : ['the worker'])];
      return needsYou(database, await alarmsOf(database, tlsOf(), temporal), silent);
    },
    consoleUrl: config.consoleUrl,
  });
  const health = await serveHealth(config.relayListen, {
    parts: async () => ({
      database: await database.query('select 1').then(
        () => true,
        () => false,
      ),
    }),
    metrics: () => metrics.metrics(),
  });
  return {
    async stop() {
      clearInterval(hourly);
      await health.stop();
      await Promise.all([relay.stop(), notifications.stop()]);
      await processContext.close();
    },
  };
});

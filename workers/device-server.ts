// The device process: what Apple devices talk to. Apart from the console, so that no device can hold the console's event loop, nor the
// other way round.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { configurationComparer } from '../activities/compare-configuration.ts';
import { deleteDeviceTls, saveDeviceTls } from '../adapters/store/devices/device-tls.ts';
import { createDeviceApp } from '../api/mdm/device-app.ts';
import { identityAuthority } from '../api/mdm/identity-authority.ts';
import { LongPolls } from '../api/mdm/long-poll.ts';
import { trustedProxies } from '../api/mdm/signer.ts';
import { channelClients } from './channel-clients.ts';
import { startChannelFollower } from './channel-follower.ts';
import { serveHealth } from './health-server.ts';
import { startListener, type Listener } from './listeners.ts';
import { watchTlsFiles, type TlsContent } from './tls-files.ts';
import { openProcessContext } from './process-context.ts';
import { runProcess } from './run-process.ts';

await runProcess('devices', async (context) => {
  const processContext = await openProcessContext(context, {
    name: 'odette-devices',
    connections: 20,
    preparesStatements: true,
  });
  const { config, log, database, ring } = processContext;
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const longPolls = LongPolls.start(database, { milliseconds: config.longPollMs, max: config.maxLongPolls });
  let listener: Listener | undefined;
  const tls = config.tls && (await watchTlsFiles(config.tls, { log, onContent: useTls }));
  if (!tls) await deleteDeviceTls(database);
  async function useTls(content: TlsContent) {
    listener?.replaceTls(content);
    await saveDeviceTls(database, content.signer.certificate.notAfter);
  }
  const compareConfiguration = configurationComparer(database, ring);
  const channels = channelClients(database, ring, config);
  const devices = createDeviceApp({
    database,
    sealer: ring,
    log,
    metrics,
    authority: identityAuthority(database, ring),
    longPolls,
    compareConfiguration,
    channels,
    publicUrl: config.publicUrl,
    trustedProxy: config.trustedProxies.length > 0 ? config.trustedProxies.join(',') : undefined,
    trustsClientCert: config.trustsClientCert,
    ...(tls && { tls: () => tls.current().signer }),
  });
  listener = await startListener('device', devices, config.deviceListen, {
    tls: tls?.current(),
    isTrustedProxy: trustedProxies(config.trustedProxies.join(',')),
  });
  const follower = startChannelFollower({ database, log, compareConfiguration, channels });
  const health = await serveHealth(config.deviceMetricsListen, {
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
      tls?.stop();
      await health.stop();
      await Promise.all([longPolls.stop(), follower.stop()]);
      await listener?.stop(5000);
      await processContext.close();
    },
  };
});

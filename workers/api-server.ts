// The API process: the admin API with the console. Devices talk to a process of their own (device-server.ts).
import { readFile } from 'node:fs/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAdminApp } from '../api/admin/admin-app.ts';
import { ensureLocalToken, offerFirstRun } from '../api/admin/first-start.ts';
import { createTemporalUi } from '../api/temporal-ui.ts';
import { trustedProxies } from '../api/mdm/signer.ts';
import { sessionCookie } from '../api/http/session-cookie.ts';
import { createMessageSealer, createPayloadReader } from './codec.ts';
import { outsideClients } from './dependencies.ts';
import { openProcessContext } from './process-context.ts';
import { identityProviderOf } from './identity-provider.ts';
import { startListener } from './listeners.ts';
import { publicUrlTls } from './public-url-tls.ts';
import { runProcess } from './run-process.ts';

await runProcess('api', async (context) => {
  const { config, log } = context;
  const processContext = await openProcessContext(context, { name: 'odette-api', connections: 20 });
  const { database, ring, temporal, temporalSettings } = processContext;
  const { namespace } = temporalSettings;
  const clients = outsideClients(database, ring, config);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  await ensureLocalToken(database, config.dataDir);

  const trustedProxy = config.trustedProxies.length > 0 ? config.trustedProxies.join(',') : undefined;
  const read = createPayloadReader(ring, namespace);
  const admin = createAdminApp({
    database,
    sealer: ring,
    log,
    metrics,
    version: await ownVersion(),
    temporal,
    oktaClient: clients.oktaClient,
    appsAndBooks: clients.appsAndBooks,
    appsAndBooksUrl: config.appsAndBooksUrl,
    signingServiceUrl: config.signingServiceUrl,
    allowedPrivateHosts: config.allowedPrivateHosts,
    consoleUrl: config.consoleUrl,
    identityProvider: identityProviderOf(config),
    publicUrl: config.publicUrl,
    publicUrlTls: publicUrlTls(config.publicUrl),
    trustedProxy,
    hasTls: config.tls !== undefined || config.trustedProxies.length > 0,
    temporalUiUrl: config.temporalUi?.url,
    temporalAddress: temporalSettings.connection.address ?? '127.0.0.1:7233',
    temporalNamespace: namespace,
    readPayload: read,
    sealMessage: createMessageSealer(ring, namespace),
  });
  // Behind a proxy all people have its address.
  const isTrustedProxy = trustedProxies(trustedProxy);
  const listeners = [await startListener('admin', admin, config.adminListen, { isTrustedProxy })];
  const { temporalUi } = config;
  if (temporalUi !== undefined) {
    const { consoleUrl } = config;
    const cookie = sessionCookie(consoleUrl);
    const ui = createTemporalUi({ ...temporalUi, sql: database, log, cookie, read, consoleUrl, namespace });
    listeners.push(await startListener('Temporal UI', ui, temporalUi.listen, { isTrustedProxy }));
  }

  // The launcher prints the link itself; without one it can only be told here, and works once.
  if (!process.connected) {
    const token = await offerFirstRun(database);
    if (token !== undefined) console.log(`Create the first admin: ${config.consoleUrl}/first-run#${token}`);
  }
  return {
    async stop() {
      // Else a graceful stop would wait for pages that only listen.
      await admin.closeStreams();
      await Promise.all(listeners.map((listener) => listener.stop(5000)));
      clients.close();
      await processContext.close();
    },
  };
});

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

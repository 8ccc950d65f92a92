// A real NanoMDM beside an Odette: devices of the sandbox enroll in NanoMDM, whose webhooks come over a relay. Needs Go.
import path from 'node:path';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import type { ApiClient } from '../../api/contract/client.ts';
import { openAuthorities } from '../../sandbox/authorities.ts';
import { ChannelScenario } from './channel-scenario.ts';
import { startNanoMdm, type NanoMdm } from './nanomdm.ts';
import { SmallMdmServer } from './small-mdm-server.ts';
import { setUpTrust, type TrustedWorld } from './stage.ts';
import { trustAuthority } from './trust.ts';
import { startWebhookRelay, type WebhookRelay } from './webhook-relay.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

interface BesideNanoMdm {
  readonly nano: NanoMdm;
  /** What devices enroll at: profile and identity are its own, messages go to NanoMDM. */
  readonly front: SmallMdmServer;
  /** Passes nothing on before `connect`. */
  readonly relay: WebhookRelay;
  /** Makes NanoMDM a channel of Odette, whose devices come into the blueprint. Returns its id. */
  connect(odette: ApiClient, blueprintId: string): Promise<string>;
  stop(): Promise<void>;
}

/** What Odette must be allowed to call. */
export const NANO_MDM_HOSTS = ['127.0.0.1'];

/** @param seed of the relay's luck */
export async function startBesideNanoMdm(world: World, seed = 7): Promise<BesideNanoMdm> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    const authorities = await openAuthorities(path.dirname(world.sandbox.files.authority));
    const front = await SmallMdmServer.start(authorities);
    stops.push(() => front.close());
    front.topic = (await authorities.issuePushCertificate()).topic;
    const push = await authorities.issuePushCertificate(front.topic);
    trustAuthority(authorities.tls.certificate.pem);
    const relay = await startWebhookRelay(seed);
    stops.push(() => relay.close());
    const nano = await startNanoMdm({
      databaseUrl: world.databaseUrl,
      authorityPem: front.authority.certificate.pem,
      webhookUrl: relay.url,
      tlsAuthority: world.sandbox.files.authority,
      pushService: world.sandbox.apns,
    });
    stops.push(() => nano.stop());
    front.forwardsTo = nano.url;
    const { status } = await nano.call('PUT', '/v1/pushcert', push.pem);
    if (status !== 200) throw new Error(`NanoMDM responded ${status} to its push certificate`);
    return {
      nano,
      front,
      relay,
      async connect(odette, blueprintId) {
        const { url, apiKey, webhookKey } = nano;
        const { id, webhookUrl } = await odette.call('post /api/channels', {
          body: { kind: 'nanomdm', name: 'NanoMDM', url, apiKey, webhookKey, blueprintId },
        });
        relay.target = webhookUrl ?? undefined;
        return id;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface NanoMdmWorld extends Omit<BesideNanoMdm, 'connect'> {
  readonly world: World;
  readonly trusted: TrustedWorld;
  /** Odette's. */
  readonly database: Database;
  readonly scenario: ChannelScenario;
  connect(): Promise<string>;
}

/** A world of its own with trust set up, and NanoMDM beside it. */
export async function startNanoMdmWorld(
  options: WorldOptions & { readonly seed?: number } = {},
): Promise<NanoMdmWorld> {
  const world = await startWorld({ ...options, allowedPrivateHosts: NANO_MDM_HOSTS });
  try {
    const trusted = await setUpTrust(world);
    const beside = await startBesideNanoMdm(world, options.seed);
    const database = connectDatabase(world.databaseUrl);
    return {
      ...beside,
      world,
      trusted,
      database,
      scenario: await ChannelScenario.open(world, trusted, database, beside.front.url),
      connect: () => beside.connect(trusted.stage.odette, trusted.blueprintId),
      async stop() {
        await database.end();
        await beside.stop();
        await world.stop();
      },
    };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

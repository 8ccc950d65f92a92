// The sandbox's Fleet server on a free port for tests of its channel, and a channel to it that is followed as in the device process.
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { beginReadings } from '../../adapters/store/devices/channel-readings.ts';
import { addChannel, replaceChannelLabels } from '../../adapters/store/devices/channels.ts';
import { newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { addressOf } from '../../domain/secret-address.ts';
import { createFleetServer } from '../../sandbox/fleet/fleet-server.ts';
import type { FleetWorld } from '../../sandbox/fleet/fleet-world.ts';
import { lifeOf } from '../../sandbox/fleet/fleet-world.ts';
import { startChannelFollower } from '../../workers/channel-follower.ts';
import type { DeviceListener } from './device-listener.ts';
import { ProtocolDevice } from './protocol-device.ts';
import { LABEL } from './fleet-channel.ts';

/** Hosts that enroll have it. */

export interface TestFleet {
  readonly url: string;
  /** Of an admin. */
  readonly token: string;
  readonly world: FleetWorld;
  /** A Mac that is enrolled in it. */
  enroll(): Promise<ProtocolDevice>;
  close(): Promise<void>;
}

export async function startFleetServer(): Promise<TestFleet> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-fleet-'));
  const http = createServer();
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const part = await createFleetServer({
    world: { dataDir: folder },
    base: url,
    push: () => Promise.resolve(true),
  });
  http.on('request', part.listener);
  const { world } = part;
  world.state.knobs.newHostLabels = [LABEL];
  return {
    url,
    token: world.state.tokens[0]?.token ?? '',
    world,
    async enroll() {
      const { publicKey, privateKey } = await newRsaKeyPair();
      const subject = [['CN', 'device']] as const;
      const certificate = world.authority.issue({ subject, publicKey, use: 'client', ...lifeOf(1) });
      const device = new ProtocolDevice(`${url}/mdm/apple`, { certificate, privateKey });
      const statuses = [await device.authenticate(), await device.updateToken()].map(({ status }) => status);
      if (statuses.some((status) => status !== 200)) throw new Error(`not enrolled: ${statuses.join()}`);
      return device;
    },
    async close() {
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
      await part.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A channel to it that takes hosts with LABEL, asked and read until `stop`. */
export async function connectFleet(
  { database, ring, blueprintId, channels }: DeviceListener,
  { url, token }: Pick<TestFleet, 'url' | 'token'>,
): Promise<{ readonly id: string; stop(): Promise<void> }> {
  const key = { kind: 'channel_api_key', value: token, by: 'test', address: addressOf(url) } as const;
  const id = await addChannel(database, {
    kind: 'fleet',
    name: 'Fleet',
    url,
    apiKeySecretId: (await storeSecret(database, ring, key)).id,
    webhookKeySecretId: null,
    blueprintId: null,
  });
  if (id === undefined) throw new Error('there is a channel of this name');
  await replaceChannelLabels(database, id, [{ label: LABEL, blueprintId }]);
  await beginReadings(database, id, { version: '4.61.0', tier: 'free' });
  const follower = startChannelFollower({
    database,
    log: pino({ level: 'silent' }),
    compareConfiguration: () => Promise.resolve(undefined),
    channels,
  });
  return { id, stop: () => follower.stop() };
}

// The client against a real NanoMDM v0.9.0 on PostgreSQL, with sandbox devices that enrolled in it. Needs Go.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { nanoMdmIsMissing, startNanoMdm, type NanoMdm } from '../../test/harness/nanomdm.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/postgres.ts';
import { openTestWorld, push, type TestWorld } from '../../test/harness/sandbox-world.ts';
import { startWebhookRelay, type WebhookRelay } from '../../test/harness/webhook-relay.ts';
import type { PretendDevice } from '../../sandbox/devices/device.ts';
import { buildCommand } from '../mdm/command.ts';
import { readDeviceMessage } from '../mdm/device-message.ts';
import { NanoMdmClient } from './nanomdm-client.ts';
import { isSignedWith, readWebhook } from './webhook.ts';

describe.skipIf(nanoMdmIsMissing() !== undefined)('against NanoMDM', () => {
  let own: TestDatabase;
  let world: TestWorld;
  let relay: WebhookRelay;
  let nano: NanoMdm;
  let device: PretendDevice;
  const clientOf = (options: Partial<ConstructorParameters<typeof NanoMdmClient>[0]> = {}) =>
    new NanoMdmClient({ url: nano.url, apiKey: nano.apiKey, allowedHosts: ['127.0.0.1'], ...options });
  const list = (uuid: string) => buildCommand(uuid, { requestType: 'ProfileList' });
  const heard = () =>
    relay.seen.flatMap(({ headers, body }) => {
      expect(isSignedWith(nano.webhookKey, body, String(headers['x-hmac-signature']))).toBe(true);
      const event = readWebhook(body);
      return event ? [readDeviceMessage(event.body)] : [];
    });

  beforeAll(async () => {
    own = await createTestDatabase();
    world = await openTestWorld();
    relay = await startWebhookRelay(1);
    nano = await startNanoMdm({
      databaseUrl: own.url,
      authorityPem: world.server.authority.certificate.pem,
      webhookUrl: relay.url,
    });
    world.server.forwardsTo = nano.url;
    device = await world.enrolled({ family: 'Mac', name: 'mac' });
  }, 120_000);
  afterAll(async () => {
    await nano?.stop();
    await relay?.close();
    await world?.close();
    await own?.drop();
  }, 60_000);

  test('a command is queued once, is carried out, and its response comes as the device signed it', async () => {
    const { udid } = device.state.hardware;
    const uuid = randomUUID();
    expect(await clientOf().enqueue(udid, list(uuid))).toEqual({ kind: 'queued' });
    expect(await clientOf().enqueue(udid, list(uuid))).toEqual({ kind: 'known' });
    push(device);
    await vi.waitFor(
      () =>
        expect(heard()).toContainEqual(
          expect.objectContaining({ type: 'Report', status: 'Acknowledged', commandUuid: uuid, udid }),
        ),
      { timeout: 60_000 },
    );
    // Known for good, also when it is done.
    expect(await clientOf().enqueue(udid, list(uuid))).toEqual({ kind: 'known' });
    const types = heard().map(({ type }) => type);
    for (const type of ['Authenticate', 'TokenUpdate', 'Report']) expect(types).toContain(type);
  }, 90_000);

  test('a device that it does not have is refused, and the UUID is free again', async () => {
    const { udid } = device.state.hardware;
    const uuid = randomUUID();
    const refused = { kind: 'refused', failureCode: 'channel.command_refused' };
    expect(await clientOf().enqueue(randomUUID().toUpperCase(), list(uuid))).toEqual(refused);
    expect(await clientOf().enqueue(`${udid},${udid}`, list(uuid))).toEqual(refused);
    expect(await clientOf().enqueue(udid, list(uuid))).toEqual({ kind: 'queued' });
  });

  test('why a device cannot be woken is told, and is no failure of its commands', async () => {
    const { udid } = device.state.hardware;
    // It has no push certificate of this topic.
    expect(await clientOf().push(udid)).toBe('channel.push_failed');
    expect(await clientOf().push('a,b')).toBe('channel.push_failed');
  });

  test('a wrong key, another address and a host that is not allowed are told apart', async () => {
    await clientOf().prove();
    const code = (client: NanoMdmClient) =>
      client.prove().then(
        () => undefined,
        (error: unknown) => (error as { code?: string }).code,
      );
    expect(await code(clientOf({ apiKey: 'wrong' }))).toBe('channel.key_refused');
    expect(await code(clientOf({ url: `${nano.url}/elsewhere` }))).toBe('channel.unexpected_response');
    expect(await code(clientOf({ allowedHosts: [] }))).toBe('channel.host_not_allowed');
    expect(await code(clientOf({ url: 'http://127.0.0.1:9' }))).toBe('channel.unreachable');
  });
});

// What every channel keeps to that Odette sends commands by: Odette's own MDM server, a real NanoMDM (needs Go), whose webhooks come twice
// and in any order, and a Fleet server as its sources describe it. Devices are the protocol's other side, message by message; what becomes of a command is read in the ledger.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { channelOf } from '../activities/channel-of.ts';
import type { ActivityDependencies } from '../activities/index.ts';
import { wakeDevice } from '../activities/wake-device.ts';
import { CertificateAuthority, newRsaKeyPair } from '../adapters/pki/certificate-authority.ts';
import { storeSecret } from '../adapters/store/base/secrets.ts';
import { addChannel } from '../adapters/store/devices/channels.ts';
import { findChannelDevice } from '../adapters/store/devices/devices.ts';
import { readNow } from '../adapters/store/devices/channel-readings.ts';
import { connectFleet, startFleetServer } from './harness/fleet-server.ts';
import { queueFor, startDeviceListener, type DeviceListener } from './harness/device-listener.ts';
import { nanoMdmIsMissing, startNanoMdm, type NanoMdm } from './harness/nanomdm.ts';
import { ProtocolDevice } from './harness/protocol-device.ts';
import { startWebhookRelay, type WebhookRelay } from './harness/webhook-relay.ts';

/** NanoMDM tells check-ins and reports apart by their type. */
class TypedDevice extends ProtocolDevice {
  override sendBytes(body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
    const kind = Buffer.from(body).includes('MessageType') ? '-checkin' : '';
    return super.sendBytes(body, { ...headers, 'content-type': `application/x-apple-aspen-mdm${kind}` });
  }
}

interface Rig {
  readonly listener: DeviceListener;
  enroll(): Promise<ProtocolDevice>;
  stop(): Promise<void>;
}

async function builtIn(): Promise<Rig> {
  const listener = await startDeviceListener();
  return {
    listener,
    enroll: async () => ProtocolDevice.enroll(listener.url, await listener.newCode()),
    stop: () => listener.stop(),
  };
}

async function nanoMdm(): Promise<Rig> {
  const listener = await startDeviceListener({ allowedPrivateHosts: ['127.0.0.1'] });
  const { database, ring, blueprintId } = listener;
  const dates = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await CertificateAuthority.create({ commonName: 'Identities', ...dates });
  const relay: WebhookRelay = await startWebhookRelay(3);
  const nano: NanoMdm = await startNanoMdm({
    databaseUrl: listener.databaseUrl,
    authorityPem: authority.certificate.pem,
    webhookUrl: relay.url,
  });
  const address = `${new URL(nano.url).host}/`;
  const apiKey = { kind: 'channel_api_key', value: nano.apiKey, by: 'test', address } as const;
  const webhookKey = { kind: 'channel_webhook_key', value: nano.webhookKey, by: 'test' } as const;
  const id = await addChannel(database, {
    kind: 'nanomdm',
    name: 'NanoMDM',
    url: nano.url,
    apiKeySecretId: (await storeSecret(database, ring, apiKey)).id,
    webhookKeySecretId: (await storeSecret(database, ring, webhookKey)).id,
    blueprintId,
  });
  relay.target = `${listener.url}/channels/${id}/webhook`;
  // What is lost takes its time until it is asked for again: activities/hand-over.test.ts and the scenarios.
  Object.assign(relay.luck, { doubled: 0.3, held: 0.3 });
  const releasing = setInterval(() => void relay.release(), 300);
  return {
    listener,
    async enroll() {
      const { publicKey, privateKey } = await newRsaKeyPair();
      const subject = [['CN', 'device']] as const;
      const certificate = authority.issue({ subject, publicKey, use: 'client', ...dates });
      const device = new TypedDevice(nano.url, { certificate, privateKey });
      const { taken } = relay;
      expect((await device.authenticate()).status).toBe(200);
      // Whose TokenUpdate overtakes is known at its next contact; these devices call only when they are told to.
      await vi.waitFor(() => expect(relay.taken).toBeGreaterThan(taken), { timeout: 60_000 });
      expect((await device.updateToken()).status).toBe(200);
      return device;
    },
    async stop() {
      clearInterval(releasing);
      await nano.stop();
      await relay.close();
      await listener.stop();
    },
  };
}

async function fleet(): Promise<Rig> {
  const listener = await startDeviceListener({ allowedPrivateHosts: ['127.0.0.1'] });
  const server = await startFleetServer();
  const channel = await connectFleet(listener, server);
  return {
    listener,
    async enroll() {
      const device = await server.enroll();
      await readNow(listener.database, channel.id);
      return device;
    },
    async stop() {
      await channel.stop();
      await server.close();
      await listener.stop();
    },
  };
}

const missing = nanoMdmIsMissing() !== undefined;
const RIGS = [
  ["Odette's own MDM server", builtIn, false],
  ['NanoMDM', nanoMdm, missing],
  ['Fleet', fleet, false],
] as const;

describe.each(RIGS)('%s', (_name, open, isSkipped) => {
  describe.skipIf(isSkipped)('as a channel', () => {
    let rig: Rig;
    let deps: ActivityDependencies;
    beforeAll(async () => {
      rig = await open();
      const { database, ring, channels } = rig.listener;
      deps = {
        database,
        sealer: ring,
        apns: () => Promise.resolve({ push: () => Promise.resolve() }),
        nanoMdm: (id: string) => channels.client(id),
        fleet: (id: string) => channels.fleet(id),
      } as Partial<ActivityDependencies> as ActivityDependencies;
    }, 120_000);
    afterAll(() => rig?.stop(), 60_000);

    const row = async <Row extends object>(sql: string, value: string): Promise<Row | undefined> => {
      const [found] = await rig.listener.database.query<Row>(sql, [value]);
      return found;
    };
    const known = async (udid: string) => {
      const found = await row<{ id: string; enrollmentId: string; enrollmentStatus: string }>(
        'select id, enrollment_id, enrollment_status from devices where udid = $1',
        udid,
      );
      if (found?.enrollmentStatus !== 'enrolled') throw new Error(`${udid} is not enrolled yet`);
      return found;
    };
    /** What is told may take a moment. */
    const soon = <Value>(look: () => Promise<Value>): Promise<Value> =>
      vi.waitFor(look, { timeout: 60_000, interval: 50 });
    const enrolled = async () => {
      const device = await rig.enroll();
      return { device, ...(await soon(() => known(device.udid))) };
    };
    const commandIs = (uuid: string, wanted: object) =>
      soon(async () =>
        expect(
          await row('select state, status, hand_overs from commands where uuid = $1', uuid),
        ).toMatchObject(wanted),
      );
    const channel = async (id: string) => {
      const device = await findChannelDevice(rig.listener.database, id);
      if (device === undefined) throw new Error('there is no such device');
      return { device, channel: channelOf(deps, device) };
    };

    test('a command is offered once it was given, answered once, and what it says is recorded', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const uuid = await queueFor(rig.listener, { id, enrollmentId }, { requestType: 'ProfileList' });
      await wakeDevice(deps, id);
      await wakeDevice(deps, id);
      expect(await device.idle()).toBe(uuid);
      expect(await device.acknowledge(uuid, { ProfileList: [] })).toBeUndefined();
      expect(await device.idle()).toBeUndefined();
      await commandIs(uuid, { state: 'responded', status: 'Acknowledged', handOvers: 1 });
      await soon(async () =>
        expect(await row('select profiles from reported_inventory where device_id = $1', id)).toEqual({
          profiles: [],
        }),
      );
    });

    test('what the device cannot do is told with its own words', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const uuid = await queueFor(rig.listener, { id, enrollmentId });
      await wakeDevice(deps, id);
      expect(await device.idle()).toBe(uuid);
      const ErrorChain = [{ ErrorCode: 4001, ErrorDomain: 'MCInstallationErrorDomain' }];
      await device.report({ Status: 'Error', CommandUUID: uuid, ErrorChain });
      await commandIs(uuid, { state: 'responded', status: 'Error' });
      const found = await row<{ failure: { errorChain: object[] } }>(
        'select failure from commands where uuid = $1',
        uuid,
      );
      expect(found?.failure.errorChain).toMatchObject([{ code: 4001, domain: 'MCInstallationErrorDomain' }]);
    });

    test('NotNow keeps the command for the next conversation; others come before', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const one = await queueFor(rig.listener, { id, enrollmentId });
      const two = await queueFor(rig.listener, { id, enrollmentId });
      await wakeDevice(deps, id);
      expect(await device.idle()).toBe(one);
      expect(await device.notNow(one)).toBe(two);
      expect(await device.notNow(two)).toBeUndefined();
      expect(await device.idle()).toBe(one);
      expect(await device.acknowledge(one)).toBe(two);
      await device.acknowledge(two);
      for (const uuid of [one, two]) await commandIs(uuid, { state: 'responded', status: 'Acknowledged' });
    });

    test('what was not given can be taken back, and is offered to nobody; what was given is answered', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const kept = await queueFor(rig.listener, { id, enrollmentId });
      expect(await (await channel(id)).channel.withdraw(kept)).toBe('withdrawn');
      await wakeDevice(deps, id);
      expect(await device.idle()).toBeUndefined();
      const given = await queueFor(rig.listener, { id, enrollmentId });
      await wakeDevice(deps, id);
      expect(await device.idle()).toBe(given);
      expect(['too_late', 'cannot']).toContain(await (await channel(id)).channel.withdraw(given));
      await device.acknowledge(given);
      await commandIs(given, { state: 'responded', status: 'Acknowledged' });
    });

    test('a device that is in contact is awake, in its enrollment and in no other', async () => {
      const { device: sent, id, enrollmentId } = await enrolled();
      await sent.idle();
      const { device, channel: its } = await soon(async () => {
        const found = await channel(id);
        expect(found.device.wasInContactNow).toBe(true);
        return found;
      });
      expect(its.isAwake(device, enrollmentId)).toBe(true);
      expect(its.isAwake(device, crypto.randomUUID())).toBe(false);
    });

    test('a new enrollment is another one, and gets nothing of the one before', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const uuid = await queueFor(rig.listener, { id, enrollmentId });
      await wakeDevice(deps, id);
      await device.authenticate();
      await device.updateToken();
      await soon(async () => expect((await known(device.udid)).enrollmentId).not.toBe(enrollmentId));
      await commandIs(uuid, { state: 'withdrawn' });
      expect(await device.idle()).toBeUndefined();
    });

    test('a device that checks out has left, and what waited for it is withdrawn', async () => {
      const { device, id, enrollmentId } = await enrolled();
      const uuid = await queueFor(rig.listener, { id, enrollmentId });
      await wakeDevice(deps, id);
      await device.checkOut();
      await soon(async () =>
        expect(await row('select enrollment_status from devices where id = $1', id)).toEqual({
          enrollmentStatus: 'checked_out',
        }),
      );
      await commandIs(uuid, { state: 'withdrawn' });
      await wakeDevice(deps, id);
    });
  });
});

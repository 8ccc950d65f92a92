// Odette beside a real NanoMDM: its devices become trusted, one is renewed, one fails and is replayed, one leaves. Needs Go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../adapters/store/base/database.ts';
import { MAC, PHONE, type ChannelScenario } from '../harness/channel-scenario.ts';
import { nanoMdmIsMissing } from '../harness/nanomdm.ts';
import { startNanoMdmWorld, type NanoMdmWorld } from '../harness/nanomdm-world.ts';
import * as pretend from '../harness/pretend-devices.ts';
import type { TrustedWorld } from '../harness/stage.ts';
import type { WebhookRelay } from '../harness/webhook-relay.ts';
import { eventually, type World } from '../harness/world.ts';

/** The response to a command, as the device sent it; empty: it is none. */
function reportIn(webhook: Buffer): string {
  const { acknowledge_event: event } = JSON.parse(webhook.toString('utf8')) as {
    acknowledge_event?: { raw_payload: string };
  };
  const text = Buffer.from(event?.raw_payload ?? '', 'base64').toString('latin1');
  return text.slice(text.indexOf('<key>CommandUUID</key>'));
}

describe.skipIf(nanoMdmIsMissing() !== undefined)('beside NanoMDM', () => {
  let beside: NanoMdmWorld;
  let world: World;
  let trusted: TrustedWorld;
  let relay: WebhookRelay;
  let database: Database;
  let scenario: ChannelScenario;

  beforeAll(async () => {
    beside = await startNanoMdmWorld({ devices: 'default' });
    ({ world, trusted, relay, database, scenario } = beside);
    await beside.connect();
  }, 180_000);
  afterAll(() => beside?.stop(), 60_000);

  test('a Mac and an iPhone that enroll in NanoMDM become trusted, with the same proof', async () => {
    for (const name of [MAC, PHONE]) await scenario.enroll(name);
    await scenario.expectBothTrusted(180_000);
  }, 300_000);

  test(
    'the timeline of a device says what it says of any other',
    () => scenario.expectUsualTimeline(),
    30_000,
  );

  test('a certificate is renewed', () => scenario.expectRenewal(180_000), 300_000);

  const add = async (name: string, knobs: object = {}): Promise<string> => {
    await scenario.addMac(name, knobs);
    await scenario.enroll(name);
    return eventually(
      () => scenario.idOf(name),
      (id) => id !== '',
      { withinMs: 90_000, what: `${name} is known` },
    );
  };

  test('a device that refuses fails, and is trusted after a replay', async () => {
    const id = await add('nano-defiant', { breaks: [{ requestType: 'InstallProfile', times: 3 }] });
    await scenario.until('nano-defiant', 'needs_you', 180_000);
    await world.manage('PATCH', '/devices/nano-defiant', { knobs: { breaks: [] } });
    await trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
    await scenario.until('nano-defiant', 'trusted', 180_000);
  }, 400_000);

  test('a device that says NotNow gets each command once', async () => {
    await add('nano-busy', { notNow: { times: 4 }, notNowSeconds: 1 });
    await scenario.until('nano-busy', 'trusted', 180_000);
    pretend.expectWholeMac('nano-busy', await pretend.onSandbox(world, 'nano-busy'));
  }, 300_000);

  test(
    'a device that is to be trusted no more loses what Odette gave it',
    () => scenario.expectRemoval('nano-busy', 120_000),
    180_000,
  );

  test('webhooks that are lost, doubled and late: the device becomes trusted, and gets nothing twice', async () => {
    Object.assign(relay.luck, { lost: 0.1, doubled: 0.3, held: 0.3 });
    // Whatever luck says: that the app was installed gets lost.
    let isLost = false;
    relay.loses = async (body) => {
      if (isLost) return false;
      const [uuid] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(reportIn(body)) ?? [];
      const asked = uuid && `select 1 from commands where uuid = $1 and request_type = 'InstallApplication'`;
      isLost = asked !== undefined && (await database.query(asked, [uuid])).length > 0;
      return isLost;
    };
    const releasing = setInterval(() => void relay.release(), 1_000);
    try {
      const name = 'nano-unlucky';
      await scenario.addMac(name);
      await scenario.enroll(name);
      // Where everything of the enrollment was lost, the device is known when it calls.
      await eventually(
        async () => {
          await world.manage('POST', `/devices/${name}/connect`);
          return scenario.idOf(name);
        },
        (id) => id !== '',
        { withinMs: 90_000, what: 'it is known', everyMs: 2_000 },
      );
      const id = await scenario.idOf(name);
      await trusted.stage.odette.call('patch /api/devices/{id}', {
        params: { id },
        body: { blueprintId: trusted.blueprintId },
      });
      await scenario.until(name, 'trusted', 600_000);
      const device = await pretend.onSandbox(world, name);
      expect(pretend.certificatesOf(device)).toHaveLength(1);
      expect(device.counts['appInstalledAgain'] ?? 0).toBe(0);
      expect(isLost).toBe(true);
    } finally {
      clearInterval(releasing);
      Object.assign(relay.luck, { lost: 0, doubled: 0, held: 0 });
      relay.loses = () => Promise.resolve(false);
      await relay.release();
    }
  }, 720_000);

  test('a device that leaves is shown as left', async () => {
    await world.manage('POST', `/devices/${PHONE}/check-out`);
    await scenario.until(PHONE, 'left', 60_000);
    expect(await scenario.timeline(PHONE)).toContain('checked_out');
  }, 90_000);

  test('a device that was enrolled before the channel is known once an admin names it', async () => {
    await scenario.addMac('nano-early');
    const { target } = relay;
    relay.target = undefined;
    await scenario.enroll('nano-early');
    // NanoMDM answers its device first, and tells then.
    const udid = scenario.udidOf('nano-early');
    await expect
      .poll(() => relay.seen.some(({ body }) => body.includes(udid) && body.includes('mdm.TokenUpdate')), {
        timeout: 30_000,
      })
      .toBe(true);
    relay.target = target;
    expect(await scenario.idOf('nano-early')).toBe('');
    const { items } = await trusted.stage.odette.call('get /api/channels');
    const channelId = items[0]?.id ?? '';
    const stranger = crypto.randomUUID().toUpperCase();
    const said = await trusted.stage.odette.call('post /api/channels/{id}/devices', {
      params: { id: channelId },
      body: { udids: [scenario.udidOf('nano-early'), scenario.udidOf(MAC), stranger] },
    });
    expect(said).toEqual({ asked: 1, taken: 0, known: 1, refused: [stranger] });
    await scenario.until('nano-early', 'trusted', 180_000);
  }, 300_000);
});

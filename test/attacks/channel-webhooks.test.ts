// A stranger at the address of a NanoMDM server's webhooks, which is for the world: uploads that never end keep no true webhook out.
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { addChannel } from '../../adapters/store/devices/channels.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { endlessUpload, type EndlessUpload } from '../harness/endless-upload.ts';
import { startDeviceListener, type DeviceListener } from '../harness/device-listener.ts';

const KEY = 'the key of the webhooks';
let listener: DeviceListener;
let channelId: string;
beforeAll(async () => {
  listener = await startDeviceListener({ trustedProxy: '127.0.0.1/32' });
  const { database, ring, blueprintId } = listener;
  const apiKey = { kind: 'channel_api_key', value: 'k', by: 'test', address: 'mdm.example.com/' } as const;
  const webhookKey = { kind: 'channel_webhook_key', value: KEY, by: 'test' } as const;
  const added = await addChannel(database, {
    kind: 'nanomdm',
    name: 'NanoMDM',
    url: 'https://mdm.example.com',
    apiKeySecretId: (await storeSecret(database, ring, apiKey)).id,
    webhookKeySecretId: (await storeSecret(database, ring, webhookKey)).id,
    blueprintId,
  });
  channelId = added ?? '';
});
afterAll(() => listener.stop());

/** As a webhook. */
const upload = (id: string, from: string): EndlessUpload =>
  endlessUpload(`${listener.url}/channels/${id}/webhook`, { 'x-forwarded-for': from });

async function trueWebhook(): Promise<number> {
  const UDID = randomUUID().toUpperCase();
  const body = JSON.stringify({
    topic: 'mdm.CheckOut',
    created_at: new Date().toISOString(),
    checkin_event: {
      raw_payload: buildPlist({ MessageType: 'CheckOut', Topic: 't', UDID }).toString('base64'),
      ids: { id: UDID, type: 'Device' },
    },
  });
  const signature = createHmac('sha256', KEY).update(body).digest('base64');
  const response = await fetch(`${listener.url}/channels/${channelId}/webhook`, {
    method: 'POST',
    headers: { 'x-hmac-signature': signature, 'x-forwarded-for': '192.0.2.1' },
    body,
  });
  return response.status;
}

test('a burst of true webhooks of one server is taken whole', async () => {
  const taken = await Promise.all(Array.from({ length: 100 }, trueWebhook));
  expect(taken.filter((status) => status !== 200)).toEqual([]);
});

test('for no channel they are refused before the body, and take nobody a place', async () => {
  const uploads = Array.from({ length: 40 }, (_, turn) => upload(randomUUID(), `198.51.100.${turn}`));
  await expect
    .poll(() => uploads.map(({ status }) => status()), { timeout: 60_000 })
    .toEqual(uploads.map(() => 400));
  expect(await trueWebhook()).toBe(200);
  for (const { sent } of uploads) sent.destroy();
}, 90_000);

test('who knows the address of a channel holds sixteen of thirty-two places, and gives them back', async () => {
  const uploads = Array.from({ length: 20 }, () => upload(channelId, '198.51.100.1'));
  await expect
    .poll(() => uploads.filter(({ status }) => status() === 503), { timeout: 60_000 })
    .toHaveLength(4);
  expect(await trueWebhook()).toBe(200);
  for (const { sent } of uploads) sent.destroy();
  // One that waits for its body holds a place; one that is answered at once was refused.
  const isHeld = async (): Promise<boolean> => {
    const more = upload(channelId, '198.51.100.1');
    await new Promise((resolve) => setTimeout(resolve, 200));
    more.sent.destroy();
    return more.status() === undefined;
  };
  await expect.poll(isHeld, { timeout: 60_000 }).toBe(true);
}, 90_000);

test('those that are refused take no place of the others, however many there are', async () => {
  const uploads = Array.from({ length: 60 }, () => upload(channelId, '198.51.100.2'));
  await expect
    .poll(() => uploads.filter(({ status }) => status() === 503), { timeout: 60_000 })
    .toHaveLength(44);
  expect(await trueWebhook()).toBe(200);
  for (const { sent } of uploads) sent.destroy();
}, 90_000);

test('whoever hangs up while its channel is looked up takes no place', async () => {
  const hungUp = Array.from({ length: 400 }, async (_, turn) => {
    const { sent } = upload(channelId, `203.0.113.${turn % 250}`);
    await once(sent, 'socket');
    await pause(turn % 20);
    sent.destroy();
  });
  await Promise.all(hungUp);
  await expect.poll(trueWebhook, { timeout: 60_000 }).toBe(200);
  // Nobody is there any more: all of one address's places are free.
  const uploads = Array.from({ length: 16 }, () => upload(channelId, '203.0.113.1'));
  expect(await trueWebhook()).toBe(200);
  expect(uploads.map(({ status }) => status())).toEqual(uploads.map(() => undefined));
  for (const { sent } of uploads) sent.destroy();
}, 90_000);

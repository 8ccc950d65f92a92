// An installation whose devices are all reached by another MDM server is asked for no push certificate anywhere; one with a device of its own is.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addSetup } from '../../adapters/store/integration/setups.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import type { OtherChannelKind } from '../../domain/device-channel.ts';
import { newSetup, type SetupChannel } from '../../domain/setup-wizard.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { connectIntegration } from '../../test/harness/connected-integration.ts';
import { needsOf } from './installation-needs.ts';
import { onboardingOf } from './next-steps.ts';
import { alarmsOf } from './status.ts';

let api: AdminApi;
let connected: Awaited<ReturnType<typeof connectIntegration>>;
beforeAll(async () => {
  api = await openAdminApi();
  connected = await connectIntegration(api.database, api.ring, 'acme.okta.com', {});
});
afterAll(() => api.close());
beforeEach(async () => {
  for (const table of ['devices', 'channels', 'enrollment_codes', 'setups', 'push_certificates'])
    await api.database.query(`delete from ${table}`);
  await choose('built_in');
});

const choose = (channel: SetupChannel) =>
  api.database.query('update integrations set channel = $1', [channel]);

async function addChannel(kind: OtherChannelKind): Promise<string> {
  const secret = async (of: 'channel_api_key' | 'channel_webhook_key') =>
    (
      await storeSecret(api.database, api.ring, {
        kind: of,
        value: randomBytes(16),
        by: 'test',
        ...(of === 'channel_api_key' && { address: 'https://mdm.test:443' }),
      })
    ).id;
  const [row] = await api.database.query<{ id: string }>(
    `insert into channels (kind, name, url, api_key_secret_id, webhook_key_secret_id) values ($1, $1, 'https://mdm.test', $2, $3) returning id`,
    [kind, await secret('channel_api_key'), kind === 'nanomdm' ? await secret('channel_webhook_key') : null],
  );
  return row?.id ?? '';
}

const addDevice = (channelId: string | null) =>
  api.database.query(
    `insert into devices (family, platform, udid, enrollment_status, enrollment_id, enrolled_at, channel_id)
     values ('Mac', 'macOS', gen_random_uuid()::text, 'enrolled', gen_random_uuid(), now(), $1)`,
    [channelId],
  );

/** What GET /api/status says, without waiting for a Temporal that is not there. */
async function status() {
  const needs = await needsOf(api.database, { publicUrl: undefined, hasTls: false });
  const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
  return {
    channels: needs.channels,
    needs: ids(needs.missing),
    ticks: ids(await onboardingOf(api.database, needs)),
    alarms: (await alarmsOf(api.database)).map(({ failure }) => failure.code),
  };
}

const expiredPushCertificate = () =>
  storeSecret(api.database, api.ring, { kind: 'push_key', value: 'key', by: 'test' }).then(({ id }) =>
    api.database.query(
      `insert into push_certificates (topic, certificate_pem, key_secret_id, access_rights, not_after)
       values ('com.apple.mgmt.External.1', 'pem', $1, 'trust_only', now() - interval '1 day')`,
      [id],
    ),
  );

test('devices on Fleet alone: neither push certificate nor address, as need, tick, alarm or line of the preview', async () => {
  await addDevice(await addChannel('fleet'));
  await expiredPushCertificate();
  const said = await status();
  expect(said).toMatchObject({ channels: ['fleet'], needs: ['apps_and_books'], alarms: [] });
  expect(said.ticks).toEqual([
    'apps_and_books',
    'channel',
    'integration',
    'library_item',
    'first_device',
    'first_trusted',
  ]);
  const preview = await api.call('POST', '/api/library-items/preview', {
    integrationId: connected.integrationId,
    deviceTrustOn: true,
    blueprintIds: [],
  });
  expect(preview.body).toMatchObject({ pushCertificate: null });
});

test('one device of its own: the push certificate is asked for, and its end is an alarm', async () => {
  await addDevice(await addChannel('fleet'));
  await addDevice(null);
  expect(await status()).toMatchObject({
    channels: ['built_in', 'fleet'],
    needs: ['public_url', 'tls', 'push_certificate', 'apps_and_books'],
  });
  await expiredPushCertificate();
  const { needs, alarms, ticks } = await status();
  expect(needs).not.toContain('push_certificate');
  expect(alarms).toEqual(['apns.certificate_refused']);
  expect(ticks).toContain('enrollment_code');
});

test('a device of its own that has left asks for nothing any more', async () => {
  await addDevice(await addChannel('fleet'));
  await addDevice(null);
  await api.database.query(`update devices set enrollment_status = 'checked_out' where channel_id is null`);
  expect((await status()).channels).toEqual(['fleet']);
});

test('NanoMDM needs the address for its webhooks, and no push certificate', async () => {
  await choose('nanomdm');
  const before = await status();
  expect(before.needs).toEqual(['public_url', 'tls', 'apps_and_books', 'channel']);
  await addChannel('nanomdm');
  expect((await status()).needs).toEqual(['public_url', 'tls', 'apps_and_books']);
});

test('the channel of a setup that is open counts before the tenant is connected', async () => {
  await choose('observe_only');
  const state = newSetup(globalThis.crypto.randomUUID());
  await addSetup(
    api.database,
    { ...state, answers: { get_started: { step: 'get_started', channel: 'fleet' } } },
    'person:ada',
  );
  expect(await status()).toMatchObject({ channels: ['fleet'], needs: ['apps_and_books', 'channel'] });
});

test('who only observes has nothing to set up but the tenant', async () => {
  await choose('observe_only');
  await expiredPushCertificate();
  expect(await status()).toEqual({ channels: [], needs: [], ticks: [], alarms: [] });
});

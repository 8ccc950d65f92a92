// Who has read the iOS secret key, the ways to the rotation of secrets, and codes that name the devices they are for, in the console.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { haltFleet } from '../harness/halted-fleet.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, signIn, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

const PASSWORD = 'correct horse battery staple';
/** For a machine that does many other things at once. */
const LONG_MS = 240_000;
let browser: Browser;
let api: AdminApi;
let fleet: SeededFleet;

describe.skipIf(!hasBrowser)('in the console', () => {
  beforeAll(async () => {
    // A real Temporal server: the status page asks it, and a call that still retries when the API closes would outlive it.
    const connection = await Connection.connect({ address: await temporalAddress() });
    const temporal = new Client({ connection });
    [browser, api] = await Promise.all([sharedBrowser(), openAdminApi({ temporal })]);
    fleet = await seedFleet(api.database, api.ring);
    for (const [name, role] of [
      ['ada', 'admin'],
      ['kim', 'viewer'],
    ])
      await api.call('POST', '/api/people', { name, role, password: PASSWORD });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
  });

  const openAs = async (name: string, at: string): Promise<ConsolePage> => {
    const ours = await openConsole(browser, api.url);
    await signIn(ours, { name, password: PASSWORD });
    await ours.goTo(at);
    return ours;
  };

  test(
    'readers of the iOS key are listed, those in doubt first, and an admin goes on to its rotation',
    async () => {
      const integration = `/integrations/${fleet.ids['integrations'] ?? ''}`;
      await api.database.query(
        `insert into ios_key_readers (secret_id, version, device_id, udid, serial_number, name)
         select secret.id, secret.version, reader.device_id, reader.udid, reader.serial_number, reader.name
           from integration_platforms as platform join secrets as secret on secret.id = platform.secret_id
          cross join lateral (
            (select id as device_id, udid, serial_number, 'The phone of Ada' as name from devices
              where family = 'iPhone' and enrollment_status = 'enrolled' limit 1)
            union all select null, '00008130-LOST', 'LOST4711', 'The lost phone') as reader
          where platform.platform = 'iOS'`,
      );
      const ours = await openAs('ada', integration);
      await ours.see('2 devices have read the key.');
      await ours.press('Show devices');
      const list = ours.page.getByRole('dialog');
      await list.getByText('LOST4711').waitFor();
      await list.getByText('Deleted in Odette').waitFor();
      // With its head.
      expect(await list.getByRole('row').count()).toBe(2);
      await list.getByRole('switch', { name: 'Only devices in doubt' }).press('Space');
      await expect.poll(() => list.getByRole('row').count(), { timeout: 60_000 }).toBe(3);
      expect(await ours.findings()).toEqual([]);
      await ours.page.keyboard.press('Escape');
      await list.waitFor({ state: 'hidden' });
      await ours.press('Rotate the secret key', 'link');
      await ours.page.getByRole('heading', { level: 1, name: 'Rotate secrets' }).waitFor();
      expect(ours.complaints).toEqual([]);
      await ours.close();

      const theirs = await openAs('kim', integration);
      await theirs.see('2 devices have read the key.');
      expect(await theirs.page.getByRole('link', { name: 'Rotate the secret key' }).count()).toBe(0);
      await theirs.close();
    },
    LONG_MS,
  );

  test(
    'a secret that was replaced in Okta is an alarm that leads an admin to its rotation',
    async () => {
      await haltFleet(api.database, fleet.ids['integrations'] ?? '', fleet.deviceId);
      const ours = await openAs('ada', '/');
      for (const [alarm, link] of [
        ['acme: challenge rejects Odette.', 'Enter the new password'],
        [/Was the secret key reset in Okta/, 'Rotate the secret key'],
      ] as const) {
        await ours.goTo('/');
        await ours.page
          .getByRole('alert')
          .filter({ hasText: alarm })
          .getByRole('link', { name: link })
          .click();
        await ours.page.getByRole('heading', { level: 1, name: 'Rotate secrets' }).waitFor();
      }
      expect(ours.complaints).toEqual([]);
      await ours.close();
      const theirs = await openAs('kim', '/');
      await theirs.see('acme: challenge rejects Odette.');
      expect(await theirs.page.getByRole('link', { name: 'Enter the new password' }).count()).toBe(0);
      await theirs.close();
    },
    LONG_MS,
  );

  test(
    'a code is made for iPhones and iPads alone, and the list says so',
    async () => {
      const blueprint = fleet.ids['blueprints'] ?? '';
      const ours = await openAs('ada', `/blueprints/${blueprint}`);
      await ours.press('Create code');
      const dialog = ours.page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'User' }).fill('ben@acme.com');
      await dialog.getByRole('combobox', { name: 'For' }).selectOption('iOS');
      // The command beside it does the same.
      await dialog.getByText('--platform iOS').waitFor();
      await dialog.getByRole('button', { name: 'Create', exact: true }).click();
      await ours.see('The enrollment code');
      await ours.page.keyboard.press('Escape');
      const row = ours.page.getByRole('row').filter({ hasText: 'ben@acme.com' });
      await row.getByText('iPhones and iPads', { exact: true }).waitFor();
      const [code] = await api.database.query<{ platforms: string[] }>(
        `select platforms from enrollment_codes where user_name = 'ben@acme.com'`,
      );
      expect(code?.platforms).toEqual(['iOS']);
      expect(ours.complaints).toEqual([]);
      await ours.close();
    },
    LONG_MS,
  );
});

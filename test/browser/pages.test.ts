// Every page of the console over the real API: nothing that axe-core finds, light and dark; no hole in the Content-Security-Policy;
// nothing from another host; no page wider than a phone. Long, because all of it is asked of one seeded console.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import { writeOrganization } from '../../adapters/store/base/organization.ts';
import { startDeviceListener, type DeviceListener } from '../harness/device-listener.ts';
import { openSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { squarePng } from '../harness/png.ts';
import { seedFleet, type SeededFleet } from '../harness/seeded-fleet.ts';
import { temporalAddress } from '../harness/temporal.ts';
import {
  cutTables,
  findingsOn,
  openConsole,
  PHONE,
  signIn,
  widthOnPhone,
  type ConsolePage,
} from './console-page.ts';
import { POLICY_IS_LIFTED } from './dialog-list.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import {
  consolePages,
  DEVICE_PAGES,
  NOT_DRAWN,
  OKTA_PAGES,
  PUBLIC_PAGES,
  SANDBOX_PAGES,
} from './page-list.ts';

const SCREEN = { width: 1280, height: 860 };
const ADA = { name: 'ada', password: 'correct horse battery staple' };
/** Pages on which an admin may act. */
const ACTED_ON = [
  'integrations',
  'integration',
  'rotation',
  'fleet-rollout',
  'setup',
  'channels',
  'okta-verify',
  'blueprints',
  'blueprint',
  'devices',
  'device',
  'rollouts',
  'settings-push',
  'settings-licenses',
];
let browser: Browser;
let api: AdminApi;
let listener: DeviceListener;
let sandbox: Sandbox;
let dataDir: string;
let fleet: SeededFleet;
let pages: Record<string, string>;

async function openAsAda(): Promise<ConsolePage> {
  const ours = await openConsole(browser, api.url);
  await signIn(ours, ADA);
  return ours;
}

/** Rows of the device list that take more than one line. */
const highRows = async (page: Page): Promise<string[]> => {
  const rows = await page.getByRole('region', { name: 'Devices' }).locator('tbody tr').all();
  expect(rows.length).toBeGreaterThan(1);
  const heights = await Promise.all(rows.map(async (row) => (await row.boundingBox())?.height ?? 0));
  return heights
    .filter((height) => height > 48)
    .map((height) => `a row of the device list is ${height} high`);
};

/** As if one request took so few devices. */
const takesAtOnce = ({ page }: ConsolePage, at: string, limit: number): Promise<unknown> =>
  page.route(`**${at}`, (route) =>
    route.continue({ postData: { ...(route.request().postDataJSON() as object), limit } }),
  );

describe.skipIf(!hasBrowser)('every page', () => {
  beforeAll(async () => {
    // A real Temporal server: the status page asks it, and a call that still retries when the API closes would outlive it.
    const connection = await Connection.connect({ address: await temporalAddress() });
    const temporal = new Client({ connection });
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'odette-pages-'));
    [browser, api, listener, sandbox] = await Promise.all([
      sharedBrowser(),
      openAdminApi({ temporal }),
      startDeviceListener(),
      openSandbox({
        dataDir,
        hasDefaultFleet: true,
        ports: { management: 0, tenants: [0, 0], apns: 0, appsAndBooks: 0, fleet: 0 },
      }),
    ]);
    fleet = await seedFleet(api.database, api.ring);
    await api.call('POST', '/api/people', { ...ADA, role: 'admin' });
    for (const { database } of [api, listener]) await writeOrganization(database, 'Acme', squarePng(64));
    pages = consolePages({
      integration: fleet.ids['integrations'] ?? '',
      setup: fleet.ids['setups'] ?? '',
      blueprint: fleet.ids['blueprints'] ?? '',
      device: fleet.deviceId,
      fleetRollout: fleet.ids['fleet-rollouts'],
    });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
    await listener?.stop();
    await sandbox?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('has no finding of axe-core, light and dark, keeps to its own host, cuts no table, and fits a phone', async () => {
    const ours = await openConsole(browser, api.url);
    const found: string[] = [];
    const look = async (name: string, address: string) => {
      await ours.goTo(address);
      found.push(...(await ours.findings()).map((line) => `${name} ${line}`));
      found.push(...(await cutTables(ours.page)).map((table) => `${name} cuts the table ${table}`));
      if (address === '/devices') found.push(...(await highRows(ours.page)));
      await ours.page.setViewportSize(PHONE);
      const width = await widthOnPhone(ours.page);
      if (width > PHONE.width) found.push(`${name} is ${width} wide on a phone`);
      await ours.page.setViewportSize(SCREEN);
    };
    for (const [name, address] of Object.entries(PUBLIC_PAGES)) await look(name, address);
    await signIn(ours, ADA);
    for (const [name, address] of Object.entries(pages)) await look(name, address);
    expect(found).toEqual([]);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 600_000);

  test('that users and the sandbox’s visitors see has no finding either, and fits a phone', async () => {
    const found: string[] = [];
    for (const [origin, addresses] of [
      [listener.url, DEVICE_PAGES],
      [sandbox.addresses.management, SANDBOX_PAGES],
      [sandbox.addresses.tenants[0]?.url ?? '', OKTA_PAGES],
    ] as const) {
      const { page, context, complaints } = await openConsole(browser, origin);
      for (const [name, address] of Object.entries(addresses)) {
        await page.goto(address);
        await page.locator(NOT_DRAWN).first().waitFor({ state: 'detached' });
        found.push(...(await findingsOn(page)).map((line) => `${name} ${line}`));
        await page.setViewportSize(PHONE);
        const width = await widthOnPhone(page);
        if (width > PHONE.width) found.push(`${name} is ${width} wide on a phone`);
        await page.setViewportSize(SCREEN);
      }
      found.push(...complaints);
      await context.close();
    }
    expect(found).toEqual([]);
  }, 120_000);

  test('turning Okta Device Trust off can be confirmed only when its consequences are there to be read', async () => {
    const ours = await openAsAda();
    let answer: () => void = () => undefined;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    await ours.page.route('**/api/library-items/preview', async (route) => {
      await isAnswered;
      await route.continue();
    });
    await ours.goTo(pages['okta-verify'] ?? '');
    await ours.page.locator('p', { hasText: /^Assigned to: 1 blueprint, \d devices$/ }).waitFor();
    await ours.page.getByRole('switch', { name: 'Okta Device Trust' }).press('Space');
    const confirm = ours.page.getByRole('dialog').getByRole('button', { name: 'Turn off', exact: true });
    await confirm.waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    answer();
    await ours.page.getByText('Removed', { exact: true }).waitFor();
    // A user of the fleet is managed only through it.
    expect(await confirm.isEnabled()).toBe(false);
    await ours.page.getByLabel(POLICY_IS_LIFTED).check();
    expect(await confirm.isEnabled()).toBe(true);
    await ours.close();
  }, 60_000);

  test('turning Okta Device Trust on names the devices that something is sent to, and takes no yes before', async () => {
    const saveAs = async (deviceTrustOn: boolean) => {
      const { status } = await api.call('PUT', `/api/library-items/${fleet.ids['library-items'] ?? ''}`, {
        integrationId: fleet.ids['integrations'],
        blueprintIds: [fleet.ids['blueprints']],
        deviceTrustOn,
        confirmAppConfigurationOverride: true,
        confirmPolicyIsLifted: true,
      });
      expect(status).toBe(200);
    };
    await saveAs(false);
    const ours = await openAsAda();
    let answer: () => void = () => undefined;
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    await ours.page.route('**/api/library-items/preview', async (route) => {
      await isAnswered;
      await route.continue();
    });
    await ours.goTo(pages['okta-verify'] ?? '');
    const trust = ours.page.getByRole('switch', { name: 'Okta Device Trust' });
    await trust.press('Space');
    const dialog = ours.page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: 'Yes, turn on Okta Device Trust' });
    await confirm.waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    answer();
    await dialog.getByText('Odette sends payloads to 6 devices (3 Macs, 3 iPhones).').waitFor();
    await confirm.click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await trust.isChecked()).toBe(true);
    await saveAs(true);
    await ours.close();
  }, 60_000);

  test('the navigation of a phone opens and leads on', async () => {
    const ours = await openConsole(browser, api.url, { width: PHONE.width });
    await signIn(ours, ADA);
    await ours.press('Open navigation');
    await ours.press('Devices', 'link');
    await ours.page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
    await ours.close();
  }, 60_000);

  test('a page for which nobody is signed in asks for it, and goes on there afterwards', async () => {
    const ours = await openConsole(browser, api.url);
    await ours.page.goto('/devices?bucket=needs_you');
    await ours.page.getByRole('heading', { name: 'Sign in to Odette' }).waitFor();
    await ours.fill('Name', ADA.name);
    await ours.page.locator('input[autocomplete="current-password"]').fill('not the password at all');
    await ours.press('Sign in');
    await ours.see('The user name or password is wrong.');
    await ours.page.locator('input[autocomplete="current-password"]').fill(ADA.password);
    await ours.press('Sign in');
    await ours.page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
    await expect.poll(() => ours.page.url()).toContain('/devices?bucket=needs_you');
    await ours.close();
  }, 120_000);

  test('the filter of the device list lives in the address, as chips and as a view, and each count leads to its devices', async () => {
    const ours = await openAsAda();
    await ours.goTo('/devices');
    await ours.page
      .getByRole('link', { name: /Needs you/ })
      .first()
      .click();
    await expect.poll(() => ours.page.url()).toContain('bucket=needs_you');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(2);
    await ours.press('Views ▾');
    await ours.press('Save or remove views…', 'menuitem');
    await ours.fill('Name of a new view', 'To do');
    await ours.press('Save view');
    await ours.page.getByRole('dialog').waitFor({ state: 'hidden' });
    await ours.press('Remove the filter State: Needs you');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(6);
    await ours.press('Filter ▾');
    await ours.page.getByLabel('Family').selectOption('iPhone');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(3);
    await ours.page.getByLabel('Channel').selectOption({ label: 'Fleet' });
    await ours.see('No device matches');
    await ours.page.keyboard.press('Escape');
    await ours.press('Views ▾');
    await ours.press('To do', 'menuitem');
    await expect.poll(() => ours.page.url()).not.toContain('family=iPhone');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(2);
    await ours.fill('Search', 'C02SEED3');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(1);
    expect(ours.page.url()).toContain('search=C02SEED3');
    await ours.page.reload();
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(1);
    await ours.press('Clear filter');
    await expect.poll(() => ours.page.locator('tbody tr').count()).toBe(6);
    await ours.close();
  }, 120_000);

  test('a failed device names the profile, its own words and the next step; its evidence fades with age; the navigation counts it', async () => {
    const errorChain = [{ code: 34001, domain: 'MCSSOErrorDomain', description: 'The host is claimed' }];
    const [{ id } = { id: '' }] = await api.database.query<{ id: string }>(
      `insert into commands (uuid, device_id, enrollment_id, workflow_id, step, request_type, state, status, failure, responded_at)
       select gen_random_uuid(), id, enrollment_id, 'rollout/' || id, 'rollout.profile.sso', 'InstallProfile', 'responded', 'Error', $1, now()
         from devices where name = 'Device 3' returning device_id as id`,
      [{ code: 'mdm.device_silent', errorChain }],
    );
    const ours = await openAsAda();
    await ours.goTo(`/devices/${id}`);
    const banner = ours.page.getByRole('alert').filter({ hasText: 'The device has not responded.' });
    await banner.getByText('The host is claimed (MCSSO 34001)').waitFor();
    expect(await banner.innerText()).toMatch(/SSO extension profile \(InstallProfile\)[^]*Action required\./);
    await banner.getByRole('button', { name: 'Replay' }).waitFor();
    const navigation = ours.page.getByRole('navigation', { name: 'Pages' });
    const devices = navigation.getByRole('link', { name: 'Devices', exact: true });
    const badge = ours.page.locator(`#${(await devices.getAttribute('aria-describedby')) ?? ''}`);
    expect(await badge.textContent()).toBe('2 waiting for you');

    await api.database.query(
      `update reported_inventory set profiles_at = now() - interval '3 days' where device_id = $1`,
      [fleet.deviceId],
    );
    await ours.goTo(`/devices/${fleet.deviceId}`);
    const truth = ours.page.getByRole('region', { name: 'Five truths' }).getByRole('listitem').first();
    expect(await truth.innerText()).toMatch(/The device listed it .*, 3 days ago; held since /);
    await ours.close();
  }, 120_000);

  test('a group of failures is replayed with a preview and a reason, which the activity log keeps', async () => {
    const ours = await openAsAda();
    await ours.goTo('/rollouts');
    await ours.see('The device has not responded.');
    await ours.press(/^Replay all/);
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('profiles to 2 devices').waitFor();
    expect(await ours.findings()).toEqual([]);
    const replay = dialog.getByRole('button', { name: 'Replay 2 rollouts' });
    expect(await replay.isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('They were switched on again');
    await replay.click();
    await ours.see('Replaying 2 rollouts.');
    await ours.goTo('/activity');
    await ours.see('Reason: “They were switched on again”');

    // No relay runs here: nothing of it has begun, so a stop leaves all of it as it was.
    await ours.goTo('/rollouts');
    await ours.see('0 of 2 devices finished: 0 delivered, 0 failed again. 0 running, 2 waiting.');
    await ours.press('Stop');
    await dialog.getByText('2 devices that have not started stay failed').waitFor();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await ours.see('2 of 2 devices finished: 0 delivered, 0 failed again, 2 skipped.');
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 120_000);

  test('what failed of a filter is replayed from the device list, which shows the progress and its stop', async () => {
    const ours = await openAsAda();
    await ours.goTo('/devices?search=C02SEED3');
    await ours.press(/^For all matching devices/);
    await ours.press('Replay', 'menuitem');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('Odette replays only the failed rollouts of the devices that match.').waitFor();
    await dialog.getByText('profiles to 1 device').waitFor();
    await dialog.getByText('/api/rollouts/replay').waitFor();
    await dialog.getByLabel('Reason').fill('Back from repair');
    await dialog.getByRole('button', { name: 'Replay 1 rollout' }).click();
    await ours.see('See the progress on this page');
    await ours.see('0 of 1 device finished: 0 delivered, 0 failed again. 0 running, 1 waiting.');
    expect(await ours.findings()).toEqual([]);
    await ours.press('Stop');
    await dialog.getByText('1 device that has not started stays failed').waitFor();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await ours.see('1 of 1 device finished: 0 delivered, 0 failed again, 1 skipped.');
    await ours.goTo('/rollouts');
    await ours.see(/: Back from repair/);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 120_000);

  test('a dialog says when a filter finds more than one request takes, and goes on with the rest', async () => {
    const ours = await openAsAda();
    await takesAtOnce(ours, '/api/devices/requests', 2);
    await ours.goTo('/devices?family=iPhone');
    await ours.press(/^For all matching devices/);
    await ours.press('Check now', 'menuitem');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('These are the first 2.').waitFor();
    await dialog.getByRole('button', { name: 'Check now: 2 devices' }).click();
    await dialog.getByText('These are the last 1.').waitFor();
    await dialog.getByRole('button', { name: 'Skip the rest' }).waitFor();
    await dialog.getByRole('button', { name: 'Check now: 1 device' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const asked = (await api.call('GET', '/api/audit?action=device.check_asked')).body.items as {
      detail: { devices: number };
    }[];
    expect(asked.map(({ detail }) => detail.devices)).toEqual([1, 2]);
    await ours.close();
  }, 120_000);

  test('the command beside the rest of a group does not begin with the group again', async () => {
    const ours = await openAsAda();
    await takesAtOnce(ours, '/api/rollouts/replay', 1);
    await ours.goTo('/rollouts');
    await ours.press(/^Replay all/);
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('These are the first 1.').waitFor();
    await dialog.getByText('odette rollout replay --failed --cause mdm.device_silent').waitFor();
    await dialog.getByLabel('Reason').fill('The network is back');
    await dialog.getByRole('button', { name: 'Replay 1 rollout' }).click();
    await dialog.getByText('These are the last 1.').waitFor();
    await dialog.getByText(/^curl .*"after":/).waitFor();
    await dialog.getByRole('button', { name: 'Skip the rest' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await ours.see('0 of 1 device finished: 0 delivered, 0 failed again. 0 running, 1 waiting.');
    await ours.close();
  }, 120_000);

  test('a device is removed after a look at what goes, what stays and how to undo it', async () => {
    const ours = await openAsAda();
    await ours.goTo(pages['device'] ?? '');
    const remove = ours.page.getByRole('menuitem', { name: 'Remove from Okta Device Trust…' });
    // A press while the page still draws itself anew may open nothing.
    await expect
      .poll(async () => {
        if (!(await remove.isVisible())) await ours.press('More ▾');
        return remove.waitFor({ timeout: 5_000 }).then(
          () => true,
          () => false,
        );
      })
      .toBe(true);
    await remove.click();
    const dialog = ours.page.getByRole('dialog');
    for (const words of [
      'after 15 minutes',
      'the Okta Verify app and its license',
      'move it back to Everybody',
    ])
      await dialog.getByText(words).first().waitFor();
    await dialog.getByLabel('Reason').fill('left the company');
    await dialog.getByRole('button', { name: 'Remove 1 device' }).click();
    await ours.see('Odette removes the payloads after 15 minutes.');
    expect((await api.call('GET', `/api/devices/${fleet.deviceId}`)).body.blueprint).toBeNull();
    await ours.close();
  }, 120_000);

  test('when the test blueprint is delivered, the library item offers the rest', async () => {
    const ours = await openAsAda();
    const { id } = (await api.call('POST', '/api/blueprints', { name: 'Everybody else' })).body as {
      id: string;
    };
    await api.database.query(
      `insert into devices (family, platform, udid, name, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
       values ('Mac', 'macOS', 'UDID-ELSE', 'Device else', $1, 'enrolled', gen_random_uuid(), '\\x01')`,
      [id],
    );
    await ours.goTo(pages['okta-verify'] ?? '');
    await ours.see(
      'After Odette has delivered to every device there, you can continue here with the other blueprint (1 device).',
    );
    await api.database.query(
      `update device_trust set bucket = 'needs_user' where bucket in ('in_progress', 'needs_you')`,
    );
    await ours.page.reload();
    await ours.press('Continue with the other blueprint (1 device)');
    const dialog = ours.page.getByRole('dialog');
    await dialog.getByText('Okta Verify licenses').waitFor();
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await ours.see('Saved. Odette has started the rollouts.');
    const saved = (await api.call('GET', '/api/library-items')).body.items as {
      blueprints: { name: string }[];
    }[];
    expect(saved[0]?.blueprints.map(({ name }) => name)).toEqual(['Everybody', 'Everybody else']);
    await ours.close();
  }, 120_000);

  test('activity is read in sentences and filtered by pick-lists, with the uses of secrets folded', async () => {
    const { id } = (await api.call('POST', '/api/blueprints', { name: 'Spring' })).body as { id: string };
    await api.call('PATCH', `/api/blueprints/${id}`, { name: 'Summer' });
    // Nora did nothing; what Ada did depends on the tests before.
    await api.call('POST', '/api/people', {
      name: 'nora',
      password: 'only looking around here',
      role: 'viewer',
    });
    const used = { actor: 'system', action: 'secret.used', detail: { kind: 'push_key', purpose: 'pushes' } };
    for (let each = 0; each < 2; each += 1) await appendAudit(api.database, used);
    const ours = await openAsAda();
    await ours.goTo('/activity');
    await ours.see('renamed the blueprint “Summer”.');
    await ours.see('name: Spring → Summer');
    await ours.press('2 uses of secrets: show each');
    await ours.see('used the key of the push certificate for “pushes”.');
    await expect.poll(() => ours.page.url()).toContain('secrets=each');
    // By the keyboard alone. A page that is drawn anew may close a list that has just opened.
    const choose = async (label: string, text: string) => {
      const list = ours.page.getByRole('combobox', { name: label }).or(ours.page.getByLabel(label)).first();
      const option = ours.page.getByRole('option', { name: text, exact: true });
      await list.focus();
      const isChosen = async (): Promise<boolean> =>
        (await option.isVisible()) &&
        (await option.getAttribute('data-combobox-selected', { timeout: 1_000 }).catch(() => null)) !== null;
      await expect
        .poll(async () => {
          if (!(await isChosen())) await list.press('ArrowDown');
          return isChosen();
        })
        .toBe(true);
      await list.press('Enter');
    };
    await choose('Kind', 'Library, blueprints and changes');
    await expect.poll(() => ours.page.url()).toContain('kind=library');
    await choose('Who', 'nora');
    await ours.see('Nothing matches');
    await choose('Who', 'All API tokens');
    await ours.see('renamed the blueprint “Summer”.');
    await ours.page.reload();
    await ours.see('renamed the blueprint “Summer”.');
    expect(await ours.page.getByText('uses of secrets').count()).toBe(0);
    expect(await ours.findings()).toEqual([]);
    await ours.close();
  }, 120_000);

  test('a viewer sees no action that the API would refuse', async () => {
    const wanda = { name: 'wanda', password: 'only looking around here' };
    await api.call('POST', '/api/people', { ...wanda, role: 'viewer' });
    const ours = await openConsole(browser, api.url);
    await signIn(ours, wanda);
    const actions: string[] = [];
    for (const name of ACTED_ON) {
      await ours.goTo(pages[name] ?? '');
      const buttons = ours.page.getByRole('button', {
        name: /^(Save|Check|Change|Add|Test|Adopt|Read now|Remove|Create|Upload|Abandon|Replay all|Stop|For all)/,
      });
      const usable = (await buttons.all()).map((button) => button.isEnabled());
      if ((await Promise.all(usable)).includes(true)) actions.push(name);
    }
    expect(actions).toEqual([]);
    await ours.close();
  }, 180_000);
});

// The setup wizard in a browser: left at every step and continued with nothing lost, wrong input said at its field, prerequisites
// that are missing, and every answer given again in the integration's settings.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addIosPlatform,
  addMacPlatform,
  installApiServiceIntegration,
  resetChallengePassword,
} from '../../sandbox/okta/admin.ts';
import { changeKnobs } from '../../sandbox/okta/knobs.ts';
import { openWizardWorld, type WizardWorld } from '../harness/wizard.ts';
import { openConsole, signIn } from './console-page.ts';
import { escapeTo, outOfReach, pressByKey } from './keyboard.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { commandsOn } from './shown-commands.ts';
import { anotherDay, atStep, errorAt, fieldOf, nextButton } from './wizard-page.ts';

const OLGA = { name: 'olga', password: 'a long enough password' };
let browser: Browser;
let world: WizardWorld;

const behave = (change: object): void => {
  const { state } = world.okta.tenant;
  state.knobs = changeKnobs(state.knobs, change);
};
const setup = async () => {
  const { body } = await world.api.call('GET', '/api/setups');
  return (body.items as { id: string; step: string; answers: Record<string, unknown> }[])[0];
};

/** A switched-on item of the integration, with so many enrolled devices. */
async function deliverTo(integrationId: string, families: { Mac: number; iPhone: number }): Promise<void> {
  const { api } = world;
  const { id } = (await api.call('POST', '/api/blueprints', { name: 'Pilot' })).body as { id: string };
  const made = await api.call('POST', '/api/library-items', {
    integrationId,
    blueprintIds: [id],
    deviceTrustOn: true,
    confirmAppConfigurationOverride: true,
  });
  expect(made.status).toBe(201);
  for (const [family, count] of Object.entries(families))
    await api.database.query(
      `insert into devices (family, platform, udid, blueprint_id, enrollment_status, enrollment_id, identity_fingerprint)
       select $1, $2, $1 || place, $3, 'enrolled', gen_random_uuid(), convert_to($1 || place, 'UTF8') from generate_series(1, $4::int) as place`,
      [family, family === 'Mac' ? 'macOS' : 'iOS', id, count],
    );
}

describe.skipIf(!hasBrowser)('the wizard in a browser', () => {
  beforeAll(async () => {
    [browser, world] = await Promise.all([sharedBrowser(), openWizardWorld()]);
    await world.api.call('POST', '/api/people', { ...OLGA, role: 'admin' });
  }, 180_000);
  afterAll(async () => {
    await closePages();
    await world?.close();
  }, 60_000);

  test('each step opens again where it was left, and wrong input is said at its field and changes nothing', async () => {
    const { host, tenant } = world.okta;
    let ours = await openConsole(browser, world.api.url);
    const complaints: string[] = [];
    const leaveAt = async (title: string) => {
      complaints.push(...ours.complaints);
      ours = await anotherDay(browser, world.api.url, ours);
      await atStep(ours, title);
    };
    const refusedAt = async (label: string, button: string | RegExp, words: RegExp) => {
      const before = await setup();
      await ours.press(button);
      expect(await errorAt(ours, label)).toMatch(words);
      expect(await ours.page.getByText('Remedy:').count(), 'said at the field alone').toBe(0);
      expect(await setup()).toMatchObject({ step: before?.step, answers: before?.answers });
    };
    await signIn(ours, OLGA);
    await ours.goTo('/integrations/discover');
    await ours.press('Add and configure');
    await leaveAt('Welcome to Okta Device Trust');
    await ours.press('Get started');

    await atStep(ours, 'Specify your Okta domain');
    await ours.fill('Okta domain', 'localhost:1');
    await leaveAt('Specify your Okta domain');
    expect(await fieldOf(ours, 'Okta domain').inputValue()).toBe('localhost:1');
    await refusedAt('Okta domain', 'Next', /\w/);
    behave({ organization: { pipeline: 'v1' } });
    await ours.fill('Okta domain', host);
    await refusedAt('Okta domain', 'Next', /Classic/);
    behave({ organization: { pipeline: 'idx' } });
    await nextButton(ours).click();

    await atStep(ours, 'Sign in with Okta');
    expect(await ours.page.getByRole('radio', { name: 'Your own API Services app' }).isChecked()).toBe(true);
    await ours.page.getByRole('radio', { name: 'API service integration' }).check();
    await leaveAt('Sign in with Okta');
    const console_ = `https://${host}/admin/dashboard`;
    expect(await ours.page.getByRole('link', { name: 'Sign in with Okta' }).getAttribute('href')).toBe(
      console_,
    );
    await ours.press('Next');

    // Only the steps of the chosen kind.
    await atStep(ours, 'Complete the following tasks in Okta');
    await leaveAt('Complete the following tasks in Okta');
    expect(await ours.page.getByText('Public key (JWK)').count()).toBe(0);
    await ours.press('Next');
    await atStep(ours, 'API service integration credentials');
    // The browser's own Back and Forward: a step each.
    await ours.page.goBack();
    await atStep(ours, 'Complete the following tasks in Okta');
    await ours.page.goForward();

    await atStep(ours, 'API service integration credentials');
    const { clientId, clientSecret } = await installApiServiceIntegration(tenant, {});
    await ours.fill('Client ID', '0oaunknown');
    await leaveAt('API service integration credentials');
    expect(await fieldOf(ours, 'Client ID').inputValue()).toBe('0oaunknown');
    await fieldOf(ours, 'Client secret').fill(clientSecret);
    await refusedAt('Client ID', 'Connect to Okta', /\w/);
    await ours.fill('Client ID', clientId);
    await fieldOf(ours, 'Client secret').fill('not-the-secret');
    await refusedAt('Client secret', 'Connect to Okta', /\w/);
    await fieldOf(ours, 'Client secret').fill(clientSecret);
    behave({ authenticators: { fastPass: false } });
    await ours.press('Connect to Okta');

    // The seed's warning: what failed, and nothing of what could not be checked.
    await atStep(ours, 'Connect to Okta');
    const missing = () => ours.page.getByRole('dialog', { name: 'Prerequisites are missing in Okta' });
    await missing().getByText('Okta FastPass is not active.').waitFor();
    // Whoever continues here is warned, too; dismissed it stays away until the next check.
    await leaveAt('Connect to Okta');
    const warning = missing();
    await warning.getByText('Okta FastPass is not active.').waitFor();
    await warning.getByRole('button', { name: 'Close', exact: true }).last().click();
    await warning.waitFor({ state: 'hidden' });
    const readAgain = ours.page.waitForResponse((answer) => /\/api\/setups\/[^/]+$/.test(answer.url()), {
      timeout: 60_000,
    });
    await world.api.call('POST', `/api/setups/${(await setup())?.id ?? ''}/answers`, {
      step: 'go_to',
      target: 'connect',
    });
    await readAgain;
    expect(await warning.count()).toBe(0);
    const again = ours.page.getByRole('button', { name: 'Check again' }).first();
    await pressByKey(ours.page, again);
    await warning.getByText('Okta FastPass is not active.').waitFor();
    expect(await outOfReach(ours.page, '[role=dialog]')).toEqual([]);
    await escapeTo(ours.page, again);
    await ours.page.keyboard.press('Enter');
    await warning.getByText('Okta FastPass is not active.').waitFor();
    const command = (await commandsOn(ours.page)).find((line) => line.includes('"connect"')) ?? '';
    expect(await warning.getByText(command, { exact: true }).count()).toBe(1);
    expect(await warning.getByText('Adaptive MFA').count()).toBe(0);
    expect(await ours.findings()).toEqual([]);
    behave({ authenticators: { fastPass: true }, organization: { pipeline: 'v1' } });
    await world.api.call('PUT', '/api/apps-and-books', { token: await world.licenses.newToken() });
    // The newest result: what was fixed is gone, and what has changed since the domain was checked is there.
    await warning.getByRole('button', { name: 'Check again' }).click();
    await warning.getByText('runs Classic Engine.').waitFor();
    expect(await warning.getByText('Okta FastPass is not active.').count()).toBe(0);
    behave({ organization: { pipeline: 'idx' } });
    await warning.getByRole('button', { name: 'Check again' }).click();
    await warning.waitFor({ state: 'hidden' });
    expect(await nextButton(ours).count()).toBe(0);
    await ours.page.getByRole('checkbox', { name: 'I have checked: The tenant has Adaptive MFA' }).check();
    await leaveAt('Connect to Okta');
    expect(await missing().count()).toBe(0);
    expect(await ours.page.getByRole('checkbox', { name: /I have checked/ }).isChecked()).toBe(true);
    await nextButton(ours).click();

    await atStep(ours, 'Configure device platforms');
    await ours.see('https://mdm.example.com/enroll');
    await ours.page.getByRole('checkbox', { name: 'macOS' }).uncheck();
    await ours.page.getByRole('checkbox', { name: 'iOS and iPadOS' }).uncheck();
    expect(await nextButton(ours).isDisabled()).toBe(true);
    await leaveAt('Configure device platforms');
    expect(await ours.page.getByRole('checkbox', { name: 'macOS' }).isChecked()).toBe(false);
    for (const name of ['macOS', 'iOS and iPadOS']) await ours.page.getByRole('checkbox', { name }).check();
    await ours.press('Next');

    await atStep(ours, 'Add macOS as a device platform');
    const mac = await addMacPlatform(tenant);
    await ours.fill('SCEP URL', `${mac.scepUrl}/none`);
    await ours.fill('Challenge URL', 'http://localhost/plain');
    await ours.fill('Username', mac.username);
    await leaveAt('Add macOS as a device platform');
    expect(await fieldOf(ours, 'SCEP URL').inputValue()).toBe(`${mac.scepUrl}/none`);
    await fieldOf(ours, 'Password').fill('wrong-password');
    await refusedAt('Challenge URL', 'Next', /\w/);
    await ours.fill('Challenge URL', mac.challengeUrl);
    await refusedAt('SCEP URL', 'Next', /\w/);
    await ours.fill('SCEP URL', mac.scepUrl);
    await refusedAt('Password', 'Next', /\w/);
    await fieldOf(ours, 'Password').fill(mac.password);
    await ours.press('Next');

    await atStep(ours, 'Add iOS as a device platform');
    await ours.page.goBack();
    await atStep(ours, 'Add macOS as a device platform');
    await ours.see('The SCEP URL responds');
    await ours.press('Next');
    await atStep(ours, 'Add iOS as a device platform');
    const { secretKey } = await addIosPlatform(tenant, {
      providerName: 'Odette',
      enrollmentLink: 'https://mdm.example.com/enroll',
    });
    await leaveAt('Add iOS as a device platform');
    await fieldOf(ours, 'Secret key').fill('short');
    await refusedAt('Secret key', 'Finish setup', /\w/);
    await fieldOf(ours, 'Secret key').fill(secretKey);
    await ours.press('Finish setup');

    await atStep(ours, 'Okta Device Trust setup complete');
    for (const secret of [clientSecret, mac.password, secretKey])
      expect(await ours.page.content()).not.toContain(secret);
    expect([...complaints, ...ours.complaints]).toEqual([]);
    await ours.press('View integration settings', 'link');
    await ours.page.getByRole('heading', { level: 2, name: 'Okta tenant' }).waitFor();
    await ours.close();
  }, 600_000);

  test('every answer is changed in the settings with the same checks', async () => {
    const ours = await openConsole(browser, world.api.url);
    await signIn(ours, OLGA);
    const { items } = (await world.api.call('GET', '/api/integrations')).body as { items: { id: string }[] };
    await deliverTo(items[0]?.id ?? '', { Mac: 2, iPhone: 1 });
    await ours.goTo(`/integrations/${items[0]?.id ?? ''}`);
    const dialog = ours.page.getByRole('dialog');
    const change = async (section: string) => {
      const card = ours.page.getByRole('region', { name: section, exact: true });
      await card.getByRole('button', { name: 'Change' }).click();
    };
    const refusedAt = async (label: string) => {
      await ours.press('Check and save');
      expect(await errorAt(ours, label)).toMatch(/\w/);
    };
    const saved = async () => {
      await ours.press('Check and save');
      await ours.page.getByRole('dialog').waitFor({ state: 'hidden' });
    };
    await change('Okta tenant');
    // Another domain asks for each secret again: the wizard leads through it.
    await atStep(ours, 'Specify your Okta domain');
    await ours.see(
      'to 3 devices again: the settings and SSO profile of 2 Macs, the managed app configuration and SSO profile of 1 iPhone or iPad.',
    );
    await ours.goTo(`/integrations/${items[0]?.id ?? ''}`);

    await change('Credentials');
    await fieldOf(ours, 'Client secret').fill('not-the-secret');
    await refusedAt('Client secret');
    const other = await installApiServiceIntegration(world.okta.tenant, {});
    await ours.fill('Client ID', other.clientId);
    await fieldOf(ours, 'Client secret').fill(other.clientSecret);
    await saved();
    await ours.see(other.clientId);

    await change('macOS');
    await dialog.getByText('It sends no certificate again: 2 Macs in scope keep theirs').waitFor();
    await fieldOf(ours, 'Password').fill('wrong-password');
    await refusedAt('Password');
    const mac = world.okta.tenant.state.platforms.find(({ platform }) => platform === 'macOS');
    const reset = await resetChallengePassword(world.okta.tenant, mac?.id ?? '');
    await fieldOf(ours, 'Password').fill(reset?.password ?? '');
    await saved();

    await change('iOS and iPadOS');
    await dialog
      .getByText('Without a new key, Odette pushes nothing to the 1 iPhone or iPad in scope')
      .waitFor();
    await fieldOf(ours, 'Secret key').fill('short');
    await dialog.getByText('Odette pushes the new key to 1 iPhone or iPad').waitFor();
    await refusedAt('Secret key');
    await fieldOf(ours, 'Secret key').fill('Another-Secret-Key-1');
    await ours.fill('Device management provider', 'Odette MDM');
    await saved();
    await ours.see('Odette MDM');

    await ours.press('Use another credential type');
    await atStep(ours, 'Sign in with Okta');

    // The second platform, turned on later.
    await world.api.database.query(`delete from integration_platforms where platform = 'iOS'`);
    await ours.goTo(`/integrations/${items[0]?.id ?? ''}`);
    await ours.press('Add iOS');
    await atStep(ours, 'Configure device platforms');
    expect(await ours.page.getByText('into scope when this setup is finished').count()).toBe(0);
    await ours.page.getByRole('checkbox', { name: 'iOS and iPadOS' }).check();
    await ours.see(/^1 iPhone or iPad comes into scope when this setup is finished/);
    expect(await ours.findings('main')).toEqual([]);
    expect(ours.complaints).toEqual([]);
    await ours.close();
  }, 300_000);
});

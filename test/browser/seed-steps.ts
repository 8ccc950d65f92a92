// The steps of both guides as an admin clicks them: Odette's half in the console, Okta's half in the tenant's own pages.
// Long, because it is one path through both guides: each section goes on where the one before ended.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConsolePage } from './console-page.ts';
import { addIosPlatform, oktaConsoleOn, type OktaConsole } from './okta-console.ts';
import type { SeedWalk } from './seed-walk.ts';
import { atStep } from './wizard-page.ts';

interface Walker {
  readonly walk: SeedWalk;
  readonly ours: ConsolePage;
  readonly tenantHost: string;
  /** "Login" of the first step. */
  readonly signIn: () => Promise<void>;
}

/** @param name of the link that opens Okta in a new window */
async function openOkta(ours: ConsolePage, name: string): Promise<OktaConsole> {
  const opened = ours.context.waitForEvent('page');
  await ours.press(name, 'link');
  return oktaConsoleOn(await opened);
}

const saysOnce = (page: Page, what: string) =>
  page.getByText(`This is the only time you can view the ${what}.`).waitFor();

/** @returns the client secret, which no page may show again */
export async function integrationSetup({ walk, ours, tenantHost, signIn }: Walker): Promise<string> {
  const { page } = ours;
  await walk.step('Login', page, signIn);
  await walk.step('Navigate to Integrations', page, () => ours.press('Integrations', 'link'));
  await walk.step('Click Discover Integrations', page, () => ours.press('Discover integrations', 'link'));
  await walk.step('In Security, find Okta Device Trust', page, async () => {
    await page.getByRole('heading', { level: 2, name: 'Security' }).waitFor();
    await page.getByRole('heading', { level: 3, name: 'Okta Device Trust' }).waitFor();
  });
  await walk.step('Click Add and configure', page, async () => {
    await ours.press('Add and configure');
    await atStep(ours, 'Welcome to Okta Device Trust');
  });
  await walk.step('Click Get Started', page, async () => {
    await ours.press('Get started');
    await atStep(ours, 'Specify your Okta domain');
  });
  await walk.step('Enter the tenant URL, click Next', page, async () => {
    await ours.fill('Okta domain', `https://${tenantHost}/`);
    await ours.press('Next');
    await atStep(ours, 'Sign in with Okta');
  });
  const okta = await walk.step(
    'Click Sign in with Okta; a new window opens',
    page,
    async () => {
      await page.getByRole('radio', { name: 'API service integration' }).check();
      return openOkta(ours, 'Sign in with Okta');
    },
    'the kind of credentials is chosen first: Odette is in no catalogue yet, so an app of your own is the default',
  );
  const credentials = await authorizeInOkta(walk, okta);
  await walk.step(
    'Head back',
    page,
    async () => {
      await page.bringToFront();
      await ours.press('Next');
      await atStep(ours, 'Complete the following tasks in Okta');
    },
    'one more Next: Odette is told nothing of what was clicked in Okta',
  );
  await walk.step('In Complete the following tasks, click Next', page, async () => {
    await ours.press('Next');
    await atStep(ours, 'API service integration credentials');
  });
  await walk.step('Enter Client ID and Client Secret', page, async () => {
    await ours.fill('Client ID', credentials.clientId);
    await page.getByLabel('Client secret', { exact: true }).fill(credentials.clientSecret);
  });
  await walk.step(
    'Click Connect to Okta; prerequisites are checked',
    page,
    async () => {
      await ours.press('Connect to Okta');
      await atStep(ours, 'Connect to Okta');
      await page.getByRole('checkbox', { name: 'I have checked: The tenant has Adaptive MFA' }).check();
    },
    'the checks are listed, and Adaptive MFA is ticked: Okta tells no program whether it is there',
  );
  await ours.press('Next');
  await atStep(ours, 'Configure device platforms');
  return credentials.clientSecret;
}

async function authorizeInOkta(walk: SeedWalk, okta: OktaConsole) {
  const credentials = { clientId: '', clientSecret: '' };
  await walk.step(
    'Click Install & Authorize',
    okta.page,
    async () => {
      await okta.goTo('API Service Integrations');
      await okta.press('Add integration');
      await okta.press('Odette Device Trust', 'link');
      await okta.page.getByRole('heading', { name: 'Authorize Odette Device Trust integration' }).waitFor();
      for (const scope of ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'])
        await okta.page.getByText(scope, { exact: true }).waitFor();
      await okta.press('Install & Authorize');
      await okta.dialog('Copy your client secret').waitFor();
    },
    'three clicks lead to the page: only a listed integration has an address of its own in Okta',
  );
  await walk.step('Copy the client secret', okta.page, async () => {
    await saysOnce(okta.page, 'client secret');
    credentials.clientSecret = await okta.copy('Client secret');
  });
  await walk.step('Click Done', okta.page, async () => {
    await okta.press('Done');
    await okta.page.getByRole('heading', { name: 'Odette Device Trust: overview' }).waitFor();
  });
  await walk.step('Copy the Client ID', okta.page, async () => {
    credentials.clientId = await okta.copy('Client ID');
  });
  await okta.page.close();
  return credentials;
}

interface PlatformValues {
  scepUrl: string;
  challengeUrl: string;
  username: string;
  password: string;
  secretKey: string;
}

export async function deviceIntegrations({ walk, ours }: Walker): Promise<PlatformValues> {
  walk.enter('Adding device integrations in Okta');
  const values = { scepUrl: '', challengeUrl: '', username: '', password: '', secretKey: '' };
  const okta = await walk.step('Log in to the Okta admin portal', ours.page, () =>
    openOkta(ours, 'Open Okta in a new window'),
  );
  const { page } = okta;
  const { goTo, press, choose, copy } = okta;
  await walk.step('Security > Device Integrations', page, () => goTo('Device integrations'));
  await walk.step('Click Add platform', page, () => press('Add platform'));

  walk.enter('Adding macOS');
  await walk.step('Select Desktop', page, () => choose('Desktop (Windows and macOS only)'));
  await walk.step('Click Next', page, () => press('Next'));
  await walk.step('Use Okta as certificate authority', page, () =>
    choose('Use Okta as certificate authority'),
  );
  await walk.step('Dynamic SCEP URL, Generic', page, async () => {
    await choose('Dynamic SCEP URL');
    await choose('Generic');
  });
  await walk.step('Click Generate', page, () => press('Generate SCEP URL'));
  await walk.step('Copy the four values', page, async () => {
    await saysOnce(page, 'password');
    values.scepUrl = await copy('SCEP URL');
    values.challengeUrl = await copy('Challenge URL');
    values.username = await copy('Username');
    values.password = await copy('Password');
  });
  await walk.step('Click Save', page, async () => {
    await press('Save');
    await page.getByRole('cell', { name: 'macOS', exact: true }).waitFor();
  });

  walk.enter('Adding iOS');
  const enrollmentLink = await ours.page
    .locator('code', { hasText: /\/enroll$/ })
    .first()
    .textContent();
  await press('Add platform');
  await addIos(walk, okta, enrollmentLink ?? '', values);
  await modifyDeviceIntegrations(walk, okta, enrollmentLink ?? '', values);
  await page.close();
  return values;
}

async function addIos(walk: SeedWalk, okta: OktaConsole, enrollmentLink: string, values: PlatformValues) {
  const { page, press, choose, copy } = okta;
  await walk.step('Select iOS', page, () => choose('iOS'));
  await walk.step('Click Next', page, () => press('Next'));
  await walk.step('Copy the secret key', page, async () => {
    await saysOnce(page, 'secret key');
    values.secretKey = await copy('Secret key');
  });
  await walk.step('Enter the device management provider', page, () =>
    page.getByLabel('Device management provider').fill('Odette'),
  );
  await walk.step('Enter the enrollment link', page, () =>
    page.getByLabel('Enrollment link').fill(enrollmentLink),
  );
  await walk.step('Click Save', page, async () => {
    await press('Save');
    await page.getByRole('cell', { name: 'iOS', exact: true }).waitFor();
  });
}

/** The macOS password is rotated, and the iOS platform deleted; what the next section needs of it is added again. */
async function modifyDeviceIntegrations(
  walk: SeedWalk,
  okta: OktaConsole,
  enrollmentLink: string,
  values: PlatformValues,
): Promise<void> {
  const { page, goTo } = okta;
  const menu = (of: string) => page.locator(`summary[aria-label="Actions, ${of}"]`);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  walk.enter('Rotating a password');
  await walk.step('Go to Device Integrations', page, () => goTo('Device integrations'));
  await walk.step('Click Actions', page, () => menu('macOS').click());
  await walk.step('Click the reset option', page, () => button('Reset password').click());
  await walk.step('Click Reset', page, async () => {
    await okta.dialog('Reset password?').getByRole('button', { name: 'Reset' }).click();
    await okta.dialog('New password').waitFor();
    const before = values.password;
    values.password = await okta.copy('Password');
    expect(values.password).not.toBe(before);
  });
  await okta.press('Done');

  walk.enter('Deleting a platform');
  await walk.step('Go to Device Integrations', page, () => goTo('Device integrations'));
  await walk.step('Click Actions', page, () => menu('iOS').click());
  await walk.step('Click Delete', page, () => button('Delete').click());
  await walk.step('Click Delete', page, async () => {
    await okta.dialog('Delete the iOS platform?').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('cell', { name: 'iOS', exact: true }).waitFor({ state: 'detached' });
  });
  values.secretKey = (await addIosPlatform(okta, enrollmentLink)).secretKey;
}

export async function devicePlatforms({ walk, ours }: Walker, values: PlatformValues): Promise<void> {
  const { page } = ours;
  walk.enter('Configuring device platforms');
  await walk.step('Select the platforms', page, async () => {
    await page.bringToFront();
    for (const name of ['macOS', 'iOS and iPadOS'])
      expect(await page.getByRole('checkbox', { name }).isChecked()).toBe(true);
  });
  await walk.step('Click Next', page, async () => {
    await ours.press('Next');
    await atStep(ours, 'Add macOS as a device platform');
  });
  await walk.step('Enter the macOS information, click Next', page, async () => {
    await ours.fill('SCEP URL', values.scepUrl);
    await ours.fill('Challenge URL', values.challengeUrl);
    await ours.fill('Username', values.username);
    await page.getByLabel('Password', { exact: true }).fill(values.password);
    await ours.press('Next');
    await atStep(ours, 'Add iOS as a device platform');
  });
  await walk.step('Enter the iOS information, click Finish setup', page, async () => {
    await page.getByLabel('Secret key', { exact: true }).fill(values.secretKey);
    await ours.press('Finish setup');
    await atStep(ours, 'Okta Device Trust setup complete');
  });
  await walk.step('View integration settings, or Go to Library item', page, async () => {
    await page.getByRole('link', { name: 'Go to library item' }).waitFor();
    await ours.press('View integration settings', 'link');
    await page.getByRole('heading', { level: 2, name: 'Credentials' }).waitFor();
  });
}

export async function libraryItem({ walk, ours }: Walker, blueprint: string): Promise<void> {
  const { page } = ours;
  const dialog = page.getByRole('dialog');
  walk.enter('Configuring Okta Verify');
  await walk.step('Go to the Library', page, () => ours.press('Library', 'link'));
  await walk.step('Find Okta Verify in the App Store Apps section', page, async () => {
    await page.getByRole('heading', { level: 2, name: 'App Store apps' }).waitFor();
    await page.getByLabel('Search apps').fill('okta');
    await ours.press('Configure Okta Verify', 'link');
    await page.getByRole('heading', { level: 2, name: 'Assignment' }).waitFor();
  });
  await walk.step('Assign it to a test blueprint', page, () =>
    page.getByRole('checkbox', { name: new RegExp(blueprint) }).check(),
  );
  await walk.step('Choose Install and continuously enforce', page, async () => {
    const choice = page.getByRole('radio', { name: 'Install and continuously enforce' });
    expect(await choice.isChecked()).toBe(true);
  });
  await walk.step('Turn on Okta Device Trust', page, async () => {
    await page.getByRole('switch', { name: 'Okta Device Trust' }).press('Space');
    await ours.see('Managed AppConfig for iPhone and iPad will be disabled');
  });
  await walk.step('Click Yes, turn on Okta Device Trust', page, async () => {
    await ours.press('Yes, turn on Okta Device Trust');
    await dialog.waitFor({ state: 'hidden' });
  });
  await walk.step('Review device families and Okta domain', page, async () => {
    await ours.see('Device families');
    await ours.see('Okta domain');
  });
  await walk.step(
    'Click Save',
    page,
    async () => {
      await ours.press('Save');
      await dialog.getByText('Okta Verify licenses').waitFor();
      expect(await ours.findings()).toEqual([]);
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await ours.see('Saved. Odette has started the rollouts.');
    },
    'a dialog says first what is sent to how many devices, and asks for one more Save',
  );
}

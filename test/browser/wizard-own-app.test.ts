// The whole setup with an API Services app of the tenant's own, Odette's half in the console and Okta's half in the tenant's pages: with proof of
// possession (DPoP) on, as Okta makes such apps, and off.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OKTA_SCOPES } from '../../domain/setup-wizard.ts';
import { readAccessToken } from '../../sandbox/okta/access-tokens.ts';
import { openWizardWorld } from '../harness/wizard.ts';
import { openConsole, signIn } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { addPublicKey, addRole, createServicesApp, dpopBox, grantScopes } from './okta-app.ts';
import { addIosPlatform, openOktaConsole } from './okta-console.ts';
import { atStep } from './wizard-page.ts';

const OLGA = { name: 'olga', password: 'a long enough password' };
let browser: Browser;

describe.skipIf(!hasBrowser)('an API Services app of the tenant’s own', () => {
  beforeAll(async () => {
    browser = await sharedBrowser();
  }, 60_000);
  afterAll(closePages);

  test.each([['on'], ['off']] as const)(
    'completes the whole setup with DPoP %s',
    async (dpop) => {
      const world = await openWizardWorld();
      try {
        const { host, tenant } = world.okta;
        await world.api.call('POST', '/api/people', { ...OLGA, role: 'admin' });
        await world.api.call('PUT', '/api/apps-and-books', { token: await world.licenses.newToken() });
        const ours = await openConsole(browser, world.api.url);
        await signIn(ours, OLGA);
        await ours.goTo('/integrations/discover');
        await ours.press('Add and configure');
        await ours.press('Get started');
        await atStep(ours, 'Specify your Okta domain');
        await ours.fill('Okta domain', host);
        await ours.press('Next');
        await atStep(ours, 'Sign in with Okta');
        expect(await ours.page.getByRole('radio', { name: 'Your own API Services app' }).isChecked()).toBe(
          true,
        );
        await ours.press('Next');
        await atStep(ours, 'Complete the following tasks in Okta');
        await ours.see('"Require Demonstrating Proof of Possession (DPoP) header" can stay on.');
        const shown = await ours.page.locator('code', { hasText: '"kty"' }).first().textContent();
        await ours.press('Next');
        await atStep(ours, 'API Services app credentials');

        const okta = await openOktaConsole(browser, `https://${host}`);
        const clientId = await createServicesApp(okta, 'Odette');
        await addPublicKey(okta, shown ?? '');
        expect(await dpopBox(okta).isChecked()).toBe(true);
        if (dpop === 'off') {
          await dpopBox(okta).uncheck();
          await okta.press('Save');
          await expect.poll(() => tenant.state.clients).toMatchObject([{ clientId, dpop: false }]);
        }
        await grantScopes(okta, OKTA_SCOPES);
        const permissions = ['View devices', 'View authenticators'];
        await addRole(okta, { app: 'Odette', name: 'Odette reads', permissions });
        const { secretKey } = await addIosPlatform(okta, 'https://mdm.example.com/enroll');
        await okta.close();

        await ours.fill('Client ID', clientId);
        await ours.press('Connect to Okta');
        await atStep(ours, 'Connect to Okta');
        await ours.page
          .getByRole('checkbox', { name: 'I have checked: The tenant has Adaptive MFA' })
          .check();
        await ours.press('Next');
        await atStep(ours, 'Configure device platforms');
        await ours.page.getByRole('checkbox', { name: 'macOS' }).uncheck();
        await ours.press('Next');
        await atStep(ours, 'Add iOS as a device platform');
        await ours.page.getByLabel('Secret key', { exact: true }).fill(secretKey);
        await ours.press('Finish setup');
        await atStep(ours, 'Okta Device Trust setup complete');
        // Offered once the integration is there.
        await ours.press('View integration settings', 'link');
        await ours.page.getByRole('heading', { level: 2, name: 'Okta tenant' }).waitFor();
        expect(ours.complaints).toEqual([]);
        await ours.close();

        const { items } = (await world.api.call('GET', '/api/integrations')).body as { items: object[] };
        expect(items).toMatchObject([{ credentialsKind: 'api_services_app', clientId }]);
        // A token that is bound to a key is worth nothing without its proof.
        const isBound = (tenant.state.accessTokens ?? []).map(
          (token) => readAccessToken(tenant, token)?.boundTo !== undefined,
        );
        expect(new Set(isBound)).toEqual(new Set([dpop === 'on']));
      } finally {
        await world.close();
      }
    },
    300_000,
  );
});

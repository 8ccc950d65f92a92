// The admin console of a pretend tenant: each dialog drives the tenant's real state, and each omission has the error that Okta gives.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newAppKey } from '../../adapters/okta/api-services-app.ts';
import type { OktaCredentials } from '../../adapters/okta/access-token.ts';
import { fetchChallenge } from '../../adapters/okta/challenge.ts';
import { OktaClient } from '../../adapters/okta/okta-client.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { openPretendOkta, type PretendOkta } from '../harness/pretend-okta.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';
import { addPublicKey, addRole, createServicesApp, dpopBox, grantScopes } from './okta-app.ts';
import {
  generateMacPlatform,
  installIntegration,
  openOktaConsole,
  type OktaConsole,
} from './okta-console.ts';

let browser: Browser;
let tenant: PretendOkta;
let okta: OktaConsole;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'works',
    (error: unknown) => (error instanceof CataloguedError ? error.code : String(error)),
  );
/** A new client each time: nothing of an earlier token is kept. */
const clientOf = (credentials: OktaCredentials): OktaClient =>
  new OktaClient({ host: tenant.host, credentials, allowedPrivateHosts: [tenant.host] });

describe.skipIf(!hasBrowser)('the admin console of a pretend tenant', () => {
  beforeAll(async () => {
    [browser, tenant] = await Promise.all([sharedBrowser(), openPretendOkta()]);
    okta = await openOktaConsole(browser, `https://${tenant.host}`);
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await tenant?.close();
  });

  beforeEach(async () => {
    await okta.page.goto('/admin/dashboard');
  });

  test('an API service integration signs in with the secret that was shown once', async () => {
    const { clientId, clientSecret } = await installIntegration(okta);
    await okta.page.reload();
    await okta.page.getByText(clientId).waitFor();
    expect(await okta.page.content()).not.toContain(clientSecret);
    expect(await okta.findings()).toEqual([]);
    const credentials = { kind: 'api_service_integration', clientId, clientSecret } as const;
    expect(await codeOf(clientOf(credentials).checkDevices())).toBe('works');

    await okta.press('Revoke integration');
    await okta.dialog('Revoke Odette Device Trust?').getByRole('button', { name: 'Revoke' }).click();
    await okta.page.getByRole('heading', { level: 1, name: 'API Service Integrations' }).waitFor();
    expect(await codeOf(clientOf(credentials).token())).not.toBe('works');
  }, 90_000);

  test('an API Services app lacks what was left out: the key, the scopes, the role, a permission of the role', async () => {
    const key = await newAppKey();
    await okta.goTo('Applications');
    await okta.press('Create App Integration');
    await okta.press('Next');
    await okta.page.getByText('Select a sign-in method.').waitFor();
    await okta.press('Cancel');
    const clientId = await createServicesApp(okta, 'Odette');
    expect(await dpopBox(okta).isChecked()).toBe(true);
    const credentials = {
      kind: 'api_services_app',
      clientId,
      privateKeyPem: key.privateKeyPem,
      keyId: String(key.publicJwk['kid']),
    } as const;
    const works = async () => ({
      token: await codeOf(clientOf(credentials).token()),
      devices: await codeOf(clientOf(credentials).checkDevices()),
      authenticators: await codeOf(clientOf(credentials).checkFastPass()),
    });
    const nothing = (code: string) => ({ token: code, devices: code, authenticators: code });

    expect(await works()).toEqual(nothing('okta.key_refused'));
    await okta.press('Add key');
    await okta.page.getByLabel('Paste your public key here (JWK)').fill('{"kty":"RSA","d":"secret"}');
    await okta.press('Done');
    await okta.page.getByText('This is a private key. Paste the public key.').waitFor();
    await okta.press('Cancel');
    await addPublicKey(okta, JSON.stringify(key.publicJwk));
    expect(await okta.findings()).toEqual([]);

    expect(await works()).toEqual(nothing('okta.scope_not_granted'));
    await grantScopes(okta, ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read']);
    expect(await okta.findings()).toEqual([]);

    const refused = 'okta.access_denied';
    expect(await works()).toEqual({ token: 'works', devices: refused, authenticators: refused });
    await addRole(okta, { app: 'Odette', name: 'Devices only', permissions: ['View devices'] });
    expect(await works()).toEqual({ token: 'works', devices: 'works', authenticators: refused });
    const permissions = ['View devices', 'View authenticators'];
    await addRole(okta, { app: 'Odette', name: 'Odette reads', permissions });
    expect(await works()).toEqual({ token: 'works', devices: 'works', authenticators: 'works' });
    expect(await okta.findings()).toEqual([]);
  }, 180_000);

  test('a platform is there once it is saved; a reset makes the old password void; it is deleted only after a yes', async () => {
    await okta.goTo('Device integrations');
    await okta.page.getByText('No platform yet.').waitFor();
    const challenge = (values: { challengeUrl: string; username: string; password: string }) =>
      codeOf(fetchChallenge({ ...values, url: values.challengeUrl, allowedPrivateHosts: [tenant.host] }));

    const unsaved = await generateMacPlatform(okta);
    expect(await okta.findings()).toEqual([]);
    await okta.press('Cancel');
    expect(await challenge(unsaved)).not.toBe('works');
    expect(tenant.tenant.state.platforms).toEqual([]);

    const saved = await generateMacPlatform(okta);
    await okta.press('Save');
    await okta.page.getByRole('cell', { name: 'macOS', exact: true }).waitFor();
    expect(await challenge(saved)).toBe('works');
    expect(await okta.page.content()).not.toContain(saved.password);

    await okta.act('macOS', 'Reset password');
    await okta.dialog('Reset password?').getByRole('button', { name: 'Reset' }).click();
    await okta.dialog('New password').waitFor();
    const password = await okta.copy('Password');
    await okta.press('Done');
    expect(await challenge(saved)).toBe('okta.challenge_credentials_refused');
    expect(await challenge({ ...saved, password })).toBe('works');

    await okta.act('macOS', 'Delete');
    const question = okta.dialog('Delete the macOS platform?');
    // Who presses Enter without reading deletes nothing.
    await okta.page.keyboard.press('Enter');
    await question.waitFor({ state: 'hidden' });
    expect(tenant.tenant.state.platforms).toHaveLength(1);
    await okta.page.getByRole('button', { name: 'Delete', exact: true }).click();
    await question.getByRole('button', { name: 'Delete' }).click();
    await okta.page.getByText('No platform yet.').waitFor();
    expect(await challenge({ ...saved, password })).not.toBe('works');
  }, 120_000);

  test('pages of other origins, and other names of this machine, click nothing', async () => {
    const post = (headers: Record<string, string>) =>
      fetch(`https://${tenant.host}/admin/api/api-service-integrations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{}',
      });
    const before = tenant.tenant.state.clients.length;
    expect((await post({ origin: 'https://evil.example' })).status).toBe(403);
    expect(tenant.tenant.state.clients).toHaveLength(before);
  });
});

// Signing in through a real OpenID provider, clicked through in a browser: there and back again, refused with a reason, and shown in settings.
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CALLBACK_PATH } from '../../api/admin/provider-sign-in.ts';
import { freePort } from '../../workers/free-port.ts';
import { identityProviderOf } from '../../workers/identity-provider.ts';
import { openAdminApi, type AdminApi } from '../harness/admin-api.ts';
import { CLIENT, openRealProvider, type RealProvider } from '../harness/real-provider.ts';
import { temporalAddress } from '../harness/temporal.ts';
import { openConsole, signIn, type ConsolePage } from './console-page.ts';
import { closePages, hasBrowser, sharedBrowser } from './shared-browser.ts';

const ROOT = { name: 'root', password: 'correct horse battery staple' };
let browser: Browser;
let provider: RealProvider;
let api: AdminApi;

describe.skipIf(!hasBrowser)('signing in through the identity provider', () => {
  beforeAll(async () => {
    const port = await freePort();
    const consoleUrl = `http://127.0.0.1:${port}`;
    const people = { ada: ['Mac admins'], sam: ['Sales'] };
    provider = await openRealProvider(consoleUrl + CALLBACK_PATH, { people });
    const oidc = {
      issuer: provider.issuer,
      clientId: CLIENT.id,
      clientSecret: () => CLIENT.secret,
      scopes: 'openid profile email groups',
      roleClaim: 'groups',
      roles: { viewer: [], operator: [], admin: ['Mac admins'] },
    };
    const identityProvider = identityProviderOf({ oidc, consoleUrl, allowedPrivateHosts: [provider.host] });
    const temporal = new Client({
      connection: await Connection.connect({ address: await temporalAddress() }),
    });
    [browser, api] = await Promise.all([
      sharedBrowser(),
      openAdminApi({ port, temporal, settings: { consoleUrl, identityProvider } }),
    ]);
    await api.call('POST', '/api/people', { ...ROOT, role: 'admin' });
  }, 120_000);
  afterAll(async () => {
    await closePages();
    await api?.close();
    await provider?.close();
  });

  /** The provider's own page. */
  async function signInThere(ours: ConsolePage, login: string): Promise<void> {
    await ours.press(`Sign in with ${provider.host}`, 'link');
    await ours.page.locator('input[name="login"]').fill(login);
    await ours.page.locator('input[name="password"]').fill('any');
    await ours.page.locator('button[type="submit"]').click();
  }

  test('who is in a group with a role comes back to the page that was asked for', async () => {
    const ours = await openConsole(browser, api.url);
    await ours.page.goto('/devices?bucket=needs_you');
    await ours.page.getByRole('heading', { name: 'Sign in to Odette' }).waitFor();
    expect(await ours.findings()).toEqual([]);
    await signInThere(ours, 'ada');
    await ours.page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
    expect(new URL(ours.page.url()).search).toBe('?bucket=needs_you');
    await ours.goTo('/settings?tab=people');
    const row = ours.page.getByRole('row', { name: /ada@example\.com/ });
    await row.getByText('Identity provider').waitFor();
    await ours.see(`${api.url}${CALLBACK_PATH}`);
    await ours.see('Mac admins');
    expect(await ours.findings()).toEqual([]);
    // Nothing but the way to the provider leads to another host, and nothing breaks the policy.
    expect(ours.complaints.filter((line) => line !== `another host: ${provider.issuer}`)).toEqual([]);
    await ours.close();
  }, 120_000);

  test('who has no role is told so on the sign-in page, where a local account still works', async () => {
    const ours = await openConsole(browser, api.url);
    await ours.goTo('/sign-in');
    await signInThere(ours, 'sam');
    await ours.see('None of your groups has a role in Odette');
    expect(await ours.findings()).toEqual([]);
    await signIn(ours, ROOT);
    await ours.close();
  }, 120_000);
});

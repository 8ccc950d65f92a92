// An API Services app of a tenant's own, as its admin makes it in the pretend tenant's console.
import type { OktaConsole } from './okta-console.ts';

/** @returns its client ID */
export async function createServicesApp(okta: OktaConsole, name: string): Promise<string> {
  await okta.goTo('Applications');
  await okta.press('Create App Integration');
  await okta.choose('API Services');
  await okta.press('Next');
  await okta.page.getByLabel('App integration name').fill(name);
  await okta.press('Save');
  await okta.page.getByRole('heading', { level: 1, name }).waitFor();
  return okta.copy('Client ID');
}

/** On the app's General tab. */
export async function addPublicKey(okta: OktaConsole, jwk: string): Promise<void> {
  await okta.press('Add key');
  await okta.page.getByLabel('Paste your public key here (JWK)').fill(jwk);
  await okta.press('Done');
  const { kid } = JSON.parse(jwk) as { kid: string };
  await okta.page.getByRole('cell', { name: kid }).waitFor();
}

export const dpopBox = (okta: OktaConsole) =>
  okta.page.getByRole('checkbox', { name: /Demonstrating Proof of Possession/ });

export async function grantScopes(okta: OktaConsole, scopes: readonly string[]): Promise<void> {
  await okta.press('Okta API Scopes', 'link');
  for (const scope of scopes) {
    await okta.press(`Grant ${scope}`);
    await okta.page.getByRole('button', { name: `Revoke ${scope}` }).waitFor();
  }
}

/** A role of the tenant's own with these permissions, given to the app. */
export async function addRole(
  okta: OktaConsole,
  { app, name, permissions }: { app: string; name: string; permissions: readonly string[] },
): Promise<void> {
  await okta.goTo('Administrators');
  await okta.press('Create new role');
  await okta.page.getByLabel('Role name').fill(name);
  for (const permission of permissions) await okta.choose(permission, 'checkbox');
  await okta.press('Save role');
  await okta.page.getByRole('cell', { name, exact: true }).waitFor();
  await okta.goTo('Applications');
  await okta.press(app, 'link');
  await okta.press('Admin roles', 'link');
  await okta.press('Edit assignments');
  await okta.choose(name, 'checkbox');
  await okta.press('Save changes');
  await okta.page.getByText(new RegExp(`^Roles: .*${name}`)).waitFor();
}

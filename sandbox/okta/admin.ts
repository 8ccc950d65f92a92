// What an admin does in the console of a pretend tenant: apps, Device integrations, devices. Secrets are told once.
import { randomBytes } from 'node:crypto';
import { appendLog } from './system-log.ts';
import type { Tenant } from './tenant.ts';
import {
  oktaId,
  type ApiServicesApp,
  type CustomRole,
  type IosPlatform,
  type MacPlatform,
} from './tenant-state.ts';

/** The scopes of the catalogue entry; an integration gets them as they are. */
const INTEGRATION_SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'];

const secret = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** "Install & Authorize" in the catalogue. */
export async function installApiServiceIntegration(
  tenant: Tenant,
  wanted: {
    clientId?: string | undefined;
    clientSecret?: string | undefined;
    scopes?: string[] | undefined;
  } = {},
): Promise<{ clientId: string; clientSecret: string; scopes: readonly string[] }> {
  const clientId = wanted.clientId ?? oktaId('0oa');
  const clientSecret = wanted.clientSecret ?? secret(48);
  const scopes = wanted.scopes ?? INTEGRATION_SCOPES;
  tenant.state.clients.push({
    kind: 'api_service_integration',
    clientId,
    scopes,
    secrets: [{ id: oktaId('ocs'), value: clientSecret }],
  });
  await tenant.save();
  return { clientId, clientSecret, scopes };
}

/** Undefined: no such integration, or it has two secrets already. */
export async function addClientSecret(
  tenant: Tenant,
  clientId: string,
  clientSecret = secret(48),
): Promise<{ id: string; clientSecret: string } | undefined> {
  const client = tenant.state.clients.find((known) => known.clientId === clientId);
  if (client?.kind !== 'api_service_integration' || client.secrets.length >= 2) return undefined;
  const added = { id: oktaId('ocs'), value: clientSecret };
  client.secrets.push(added);
  await tenant.save();
  return { id: added.id, clientSecret };
}

export async function removeClientSecret(
  tenant: Tenant,
  clientId: string,
  secretId: string,
): Promise<boolean> {
  const client = tenant.state.clients.find((known) => known.clientId === clientId);
  if (client?.kind !== 'api_service_integration') return false;
  const kept = client.secrets.filter(({ id }) => id !== secretId);
  const isRemoved = kept.length < client.secrets.length;
  client.secrets = kept;
  await tenant.save();
  return isRemoved;
}

/** Revokes an integration or deletes an app: its tokens are void at once. */
export async function removeClient(tenant: Tenant, clientId: string): Promise<boolean> {
  const kept = tenant.state.clients.filter((known) => known.clientId !== clientId);
  const isRemoved = kept.length < tenant.state.clients.length;
  tenant.state.clients = kept;
  await tenant.save();
  return isRemoved;
}

export type AppSettings = Partial<Omit<ApiServicesApp, 'kind' | 'clientId'>>;

/** Applications > Create App Integration > API Services. As in Okta, DPoP is on and neither scopes nor roles are granted yet. */
export async function createApiServicesApp(
  tenant: Tenant,
  settings: AppSettings,
): Promise<{ clientId: string }> {
  const app: ApiServicesApp = {
    kind: 'api_services_app',
    clientId: oktaId('0oa'),
    name: settings.name ?? 'API Services app',
    scopes: settings.scopes ?? [],
    roles: settings.roles ?? [],
    publicJwks: settings.publicJwks ?? [],
    dpop: settings.dpop ?? true,
    applicationType: settings.applicationType ?? 'service',
  };
  tenant.state.clients.push(app);
  await tenant.save();
  return { clientId: app.clientId };
}

export async function changeApiServicesApp(
  tenant: Tenant,
  clientId: string,
  settings: AppSettings,
): Promise<boolean> {
  const app = tenant.state.clients.find((known) => known.clientId === clientId);
  if (app?.kind !== 'api_services_app') return false;
  Object.assign(app, settings);
  await tenant.save();
  return true;
}

/** Security > Administrators > Roles > Create new role. */
export async function createCustomRole(tenant: Tenant, wanted: Omit<CustomRole, 'id'>): Promise<CustomRole> {
  const role = { id: oktaId('cr0'), ...wanted };
  tenant.state.customRoles = [...(tenant.state.customRoles ?? []), role];
  await tenant.save();
  return role;
}

interface GeneratedMacPlatform {
  readonly id: string;
  readonly scepUrl: string;
  readonly challengeUrl: string;
  readonly username: string;
  readonly password: string;
}

/** "Generate" in the dialog: the addresses respond once it is saved. */
export function generateMacPlatform(tenant: Tenant): GeneratedMacPlatform {
  const id = oktaId('pfm');
  return { ...addressesOf(tenant, { id }), username: secret(12), password: secret(24) };
}

/** Security > Device integrations > Add platform > Desktop, Okta as authority, Dynamic SCEP URL, Generic, Generate, Save. */
export async function addMacPlatform(
  tenant: Tenant,
  wanted: { id?: string | undefined; username?: string | undefined; password?: string | undefined } = {},
): Promise<GeneratedMacPlatform> {
  const generated = generateMacPlatform(tenant);
  const platform: MacPlatform = {
    id: wanted.id ?? generated.id,
    platform: 'macOS',
    username: wanted.username ?? generated.username,
    password: wanted.password ?? generated.password,
  };
  tenant.state.platforms.push(platform);
  await tenant.save();
  return { ...addressesOf(tenant, platform), username: platform.username, password: platform.password };
}

export const addressesOf = (tenant: Tenant, { id }: Pick<MacPlatform, 'id'>) => ({
  id,
  scepUrl: `${tenant.origin}/scep/v1/${id}`,
  challengeUrl: `${tenant.origin}/scep/v1/challenge/${id}`,
});

/** "Reset password": the old one is refused at once. */
export async function resetChallengePassword(
  tenant: Tenant,
  platformId: string,
  password = secret(24),
): Promise<{ password: string } | undefined> {
  const platform = tenant.state.platforms.find(({ id }) => id === platformId);
  if (platform?.platform !== 'macOS') return undefined;
  platform.password = password;
  appendLog(tenant, 'device.platform.update', [{ id: platform.id, type: 'DevicePlatform' }]);
  await tenant.save();
  return { password };
}

export const generateSecretKey = (): { secretKey: string } => ({ secretKey: secret(32) });

/** Add platform > iOS. `secretKey` is "Use existing key": 8 to 256 characters. */
export async function addIosPlatform(
  tenant: Tenant,
  wanted: { secretKey?: string | undefined; providerName: string; enrollmentLink: string },
): Promise<IosPlatform> {
  const platform: IosPlatform = {
    id: oktaId('pfm'),
    platform: 'iOS',
    secretKey: wanted.secretKey ?? generateSecretKey().secretKey,
    providerName: wanted.providerName,
    enrollmentLink: wanted.enrollmentLink,
  };
  tenant.state.platforms.push(platform);
  await tenant.save();
  return platform;
}

/** "Reset secret key": the old one is void at once. */
export async function resetSecretKey(
  tenant: Tenant,
  platformId: string,
  secretKey = secret(32),
): Promise<{ secretKey: string } | undefined> {
  const platform = tenant.state.platforms.find(({ id }) => id === platformId);
  if (platform?.platform !== 'iOS') return undefined;
  platform.secretKey = secretKey;
  appendLog(tenant, 'device.platform.secret_key.reset', [{ id: platform.id, type: 'DevicePlatform' }]);
  await tenant.save();
  return { secretKey };
}

/** No new certificates from then on; the old ones keep attesting. */
export async function removePlatform(tenant: Tenant, platformId: string): Promise<boolean> {
  const kept = tenant.state.platforms.filter(({ id }) => id !== platformId);
  const isRemoved = kept.length < tenant.state.platforms.length;
  tenant.state.platforms = kept;
  await tenant.save();
  return isRemoved;
}

// What an app's admin roles let it do in a pretend tenant: an API Services app needs a role beside its scopes.
import type { Tenant } from './tenant.ts';
import type { Client, RolePermission } from './tenant-state.ts';

/** Okta's standard roles, as far as they differ in what Odette asks for. */
const STANDARD: Readonly<Record<string, readonly RolePermission[]>> = {
  SUPER_ADMIN: [
    'okta.devices.manage',
    'okta.devices.read',
    'okta.authenticators.read',
    'okta.logs.read',
    'okta.users.read',
  ],
  READ_ONLY_ADMIN: ['okta.devices.read', 'okta.authenticators.read', 'okta.logs.read', 'okta.users.read'],
  HELP_DESK_ADMIN: ['okta.users.read'],
};

/** API service integrations carry their rights themselves; an app of the tenant's own has those of its roles. */
export function isAllowedByRoles(tenant: Tenant, client: Client, permission: string): boolean {
  if (client.kind === 'api_service_integration') return true;
  const custom = tenant.state.customRoles ?? [];
  const held = client.roles.flatMap(
    (role): readonly string[] => STANDARD[role] ?? custom.find(({ id }) => id === role)?.permissions ?? [],
  );
  return held.includes(permission) || held.includes(permission.replace(/\.read$/, '.manage'));
}

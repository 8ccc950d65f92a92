// /api/v1/devices of a pretend tenant: list with users and pages, one by id, lifecycle, deletion.
import { readSearch } from './device-search.ts';
import { refuse } from './refusals.ts';
import { appendLog } from './system-log.ts';
import type { Tenant, TenantResponse } from './tenant.ts';
import type { DeviceRecord } from './tenant-state.ts';

const PATH = /^\/api\/v1\/devices$/;
const ONE = /^\/api\/v1\/devices\/([^/]+)(?:\/(users|lifecycle\/(activate|deactivate|suspend|unsuspend)))?$/;

/** The scope a call needs. */
export const deviceScope = (method: string): string =>
  method === 'GET' ? 'okta.devices.read' : 'okta.devices.manage';

export async function handleDevices(tenant: Tenant, method: string, url: URL): Promise<TenantResponse> {
  if (PATH.test(url.pathname)) return method === 'GET' ? list(tenant, url) : refuse('E0000022');
  const [, id, part, action] = ONE.exec(url.pathname) ?? [];
  const device = tenant.state.devices.find((known) => known.id === id);
  if (device === undefined) return refuse('E0000007');
  if (part === undefined && method === 'GET') return { status: 200, body: describe(tenant, device) };
  if (part === 'users' && method === 'GET') return { status: 200, body: usersOf(tenant, device, 'user') };
  if (part === undefined && method === 'DELETE') return deleteDevice(tenant, device.id);
  if (action !== undefined && method === 'POST')
    return changeLifecycle(tenant, device, action as LifecycleAction);
  return refuse('E0000022');
}

function list(tenant: Tenant, url: URL): TenantResponse {
  const limit = Number(url.searchParams.get('limit') ?? '200');
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) return refuse('E0000001', {}, 'limit: 1 to 200');
  const search = url.searchParams.get('search');
  const matches = search === null ? () => true : readSearch(search);
  if (matches === undefined) return refuse('E0000031');
  const found = (search === null ? tenant.state.devices : asSearchSees(tenant)).filter(matches);
  const cursor = readCursor(url.searchParams.get('after'));
  if (cursor === undefined) return refuse('E0000001', {}, 'after: not a cursor');
  const { pageCap, emptyMiddlePage } = tenant.state.knobs.devices;
  const from = cursor.after === '' ? 0 : found.findIndex(({ id }) => id === cursor.after) + 1;
  const isEmptyPage = emptyMiddlePage && cursor.after !== '' && !cursor.wasEmpty;
  const page = isEmptyPage ? [] : found.slice(from, from + Math.min(limit, pageCap));
  const last = page.at(-1)?.id ?? cursor.after;
  const hasMore = from + page.length < found.length;
  const expand = url.searchParams.get('expand');
  return {
    status: 200,
    headers: linkHeaders(tenant, url, hasMore ? { after: last, wasEmpty: isEmptyPage } : undefined),
    body: page.map((device) => ({
      ...describe(tenant, device),
      ...(expand === 'user' || expand === 'userSummary'
        ? { _embedded: { users: usersOf(tenant, device, expand) } }
        : {}),
    })),
  };
}

/** Search is eventually consistent: it shows what it has seen so far. */
const asSearchSees = (tenant: Tenant): DeviceRecord[] =>
  tenant.state.devices.flatMap((device) => {
    if ((device.searchSeesAt ?? 0) <= tenant.now()) return [device];
    return device.searchSaw ? [device.searchSaw] : [];
  });

interface Cursor {
  readonly after: string;
  readonly wasEmpty: boolean;
}

function readCursor(text: string | null): Cursor | undefined {
  if (text === null) return { after: '', wasEmpty: false };
  const [after, wasEmpty] = Buffer.from(text, 'base64url').toString('utf8').split('.');
  return after?.startsWith('guo') ? { after, wasEmpty: wasEmpty === 'empty' } : undefined;
}

function linkHeaders(tenant: Tenant, url: URL, next: Cursor | undefined): Record<string, string> {
  const self = `<${tenant.origin}${url.pathname}${url.search}>; rel="self"`;
  if (next === undefined) return { link: self };
  const following = new URL(url);
  const cursor = Buffer.from(`${next.after}${next.wasEmpty ? '.empty' : ''}`).toString('base64url');
  following.searchParams.set('after', cursor);
  return { link: `${self}, <${tenant.origin}${following.pathname}${following.search}>; rel="next"` };
}

function usersOf(tenant: Tenant, device: DeviceRecord, expand: 'user' | 'userSummary') {
  return device.users.map(({ userId, managementStatus, created }) => {
    const user = tenant.state.users.find(({ id }) => id === userId);
    const login = user?.login ?? '';
    const [name = 'User'] = login.split('@');
    const profile = { firstName: name, lastName: 'Example', login, email: login };
    const full = expand === 'user' ? { status: 'ACTIVE', created: user?.created ?? created } : {};
    return { created, managementStatus, screenLockType: 'BIOMETRIC', user: { id: userId, ...full, profile } };
  });
}

function describe(tenant: Tenant, device: DeviceRecord) {
  const url = `${tenant.origin}/api/v1/devices/${device.id}`;
  const post = (action: string) => ({ href: `${url}/lifecycle/${action}`, hints: { allow: ['POST'] } });
  const lifecycle = {
    ACTIVE: { suspend: post('suspend'), deactivate: post('deactivate') },
    SUSPENDED: { unsuspend: post('unsuspend'), deactivate: post('deactivate') },
    UNSUSPENDED: { suspend: post('suspend'), deactivate: post('deactivate') },
    DEACTIVATED: { activate: post('activate') },
  }[device.status];
  return {
    id: device.id,
    status: device.status,
    created: device.created,
    lastUpdated: device.lastUpdated,
    profile: device.profile,
    resourceType: 'UDDevice',
    resourceDisplayName: { value: device.profile.displayName, sensitive: false },
    resourceId: device.id,
    _links: {
      ...lifecycle,
      self: { href: url, hints: { allow: ['GET'] } },
      users: { href: `${url}/users`, hints: { allow: ['GET'] } },
    },
  };
}

export type LifecycleAction = 'activate' | 'deactivate' | 'suspend' | 'unsuspend';

const LIFECYCLE = {
  activate: { from: ['DEACTIVATED', 'ACTIVE', 'UNSUSPENDED'], to: 'ACTIVE' },
  deactivate: { from: ['ACTIVE', 'SUSPENDED', 'UNSUSPENDED', 'DEACTIVATED'], to: 'DEACTIVATED' },
  suspend: { from: ['ACTIVE', 'UNSUSPENDED'], to: 'SUSPENDED' },
  unsuspend: { from: ['SUSPENDED'], to: 'ACTIVE' },
} as const;

export async function changeLifecycle(
  tenant: Tenant,
  device: DeviceRecord,
  action: LifecycleAction,
): Promise<TenantResponse> {
  const { from } = LIFECYCLE[action];
  const to = action === 'unsuspend' ? tenant.state.knobs.devices.unsuspendTo : LIFECYCLE[action].to;
  if (!from.some((status) => status === device.status)) return refuse('E0000152');
  tenant.changeDevice(device, (changed) => {
    changed.status = to;
    // Deactivation destroys the users' factors on the device.
    if (to === 'DEACTIVATED') changed.users = [];
  });
  appendLog(tenant, `device.lifecycle.${action}`, [{ id: device.id, type: 'UDDevice' }]);
  await tenant.save();
  return { status: 204 };
}

/** Only when deactivated. Its certificates are revoked and stay so. */
export async function deleteDevice(tenant: Tenant, id: string): Promise<TenantResponse> {
  const device = tenant.state.devices.find((known) => known.id === id);
  if (device === undefined) return refuse('E0000007');
  if (device.status !== 'DEACTIVATED') return refuse('E0000152');
  tenant.state.devices.splice(tenant.state.devices.indexOf(device), 1);
  appendLog(tenant, 'device.lifecycle.delete', [{ id, type: 'UDDevice' }]);
  for (const certificate of tenant.state.certificates) {
    if (certificate.boundTo === id) certificate.revoked ??= 'device_deleted';
  }
  await tenant.save();
  return { status: 204 };
}

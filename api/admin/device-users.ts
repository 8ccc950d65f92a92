// Users of devices: of one, and of many by CSV. Okta's records of iPhones and iPads are found by them.
import { refreshTrust } from '../../activities/refresh-trust.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import {
  findNamedDevices,
  nameDeviceUser,
  type DeviceKey,
  type NamedDevice,
} from '../../adapters/store/devices/device-users.ts';
import { findFleetRow } from '../../adapters/store/fleet/fleet.ts';
import { rematch } from '../../adapters/store/integration/okta-devices.ts';
import { readCsv } from '../http/csv.ts';
import { ProblemError, type FieldError } from '../http/problem.ts';

const MAX_LINES = 2_000;
const MAX_LOGIN = 200;
/** In the order in which they are believed where a file has several. */
const KEYS: readonly DeviceKey[] = ['id', 'udid', 'serialNumber'];

/** Okta's records of iPhones and iPads are found by the user, and a Mac is managed for a user: what is shown follows at once. */
export async function nameUser(sql: Sql, deviceId: string, user: string | null): Promise<void> {
  await nameDeviceUser(sql, deviceId, user);
  const { integrationId } = (await findFleetRow(sql, deviceId)) ?? {};
  const touched = integrationId ? await rematch(sql, integrationId, [], [deviceId]) : [];
  for (const id of new Set([deviceId, ...touched])) await refreshTrust(sql, id, { now: new Date() });
}

export interface UserChange {
  readonly id: string;
  readonly integrationId: string | null;
  readonly user: string;
  readonly before: string | null;
}

/**
 * What a CSV changes.
 * @throws ProblemError `devices.users_unreadable`: a line that cannot be read, or names no device or several
 */
export async function readUsers(
  sql: Sql,
  csv: string,
): Promise<{ changes: UserChange[]; unchanged: number }> {
  const { by, lines } = linesOf(csv);
  const found = await findNamedDevices(sql, by, [...new Set(lines.map(({ key }) => key))]);
  const byKey = new Map<string, NamedDevice[]>();
  for (const device of found) byKey.set(device.key, [...(byKey.get(device.key) ?? []), device]);
  const problems: FieldError[] = [];
  const wanted = new Map<string, { device: NamedDevice; user: string }>();
  for (const { line, key, user } of lines) {
    const devices = byKey.get(key) ?? [];
    const [device] = devices;
    const before = device && wanted.get(device.id)?.user;
    const reason =
      device === undefined
        ? `No device has this ${by}.`
        : devices.length > 1
          ? `${devices.length} devices have this ${by}: identify them by id.`
          : user.length > MAX_LOGIN || !PLAIN.test(user)
            ? 'The user is not a valid login.'
            : before !== undefined && before !== user
              ? 'An earlier line names another user for this device.'
              : undefined;
    if (reason !== undefined) problems.push(problemOf(line, reason));
    else if (device) wanted.set(device.id, { device, user });
  }
  if (problems.length > 0) throw unreadable(problems);
  const changes = [...wanted.values()]
    .filter(({ device, user }) => device.user !== user)
    .map(({ device: { id, integrationId, user: before }, user }) => ({ id, integrationId, user, before }));
  return { changes, unchanged: wanted.size - changes.length };
}

/** Each device and each integration's records are looked at once. */
export async function nameUsers(sql: Sql, changes: readonly UserChange[]): Promise<void> {
  for (const { id, user } of changes) await nameDeviceUser(sql, id, user);
  const touched = new Set(changes.map(({ id }) => id));
  for (const integrationId of new Set(changes.map((change) => change.integrationId))) {
    if (integrationId === null) continue;
    const ofIt = changes.filter((change) => change.integrationId === integrationId).map(({ id }) => id);
    for (const id of await rematch(sql, integrationId, [], ofIt)) touched.add(id);
  }
  for (const id of touched) await refreshTrust(sql, id, { now: new Date() });
}

const PLAIN = /^[^\u0000-\u001f\u007f]+$/;

interface Line {
  readonly line: number;
  readonly key: string;
  readonly user: string;
}

function linesOf(csv: string): { by: DeviceKey; lines: Line[] } {
  const [head, ...rows] = readCsv(csv);
  const names = head?.cells.map((name) => name.toLowerCase()) ?? [];
  const placeOf = (name: string) => names.indexOf(name.toLowerCase());
  const by = KEYS.find((key) => placeOf(key) >= 0);
  if (head === undefined || by === undefined || placeOf('user') < 0)
    throw unreadable([
      problemOf(1, 'The first line has no column `id`, `udid` or `serialNumber`, or no column `user`.'),
    ]);
  if (rows.length > MAX_LINES)
    throw unreadable([problemOf(MAX_LINES + 2, `At most ${MAX_LINES} devices at a time.`)]);
  const lines = rows.map(({ line, cells }) => ({
    line,
    key: (cells[placeOf(by)] ?? '').toLowerCase(),
    user: cells[placeOf('user')] ?? '',
  }));
  return { by, lines: lines.filter(({ user }) => user !== '') };
}

const problemOf = (line: number, reason: string): FieldError => ({
  field: `line ${line}`,
  reason,
  code: 'devices.users_unreadable',
});

const MAX_PROBLEMS = 50;

const unreadable = (problems: readonly FieldError[]): ProblemError =>
  new ProblemError('devices.users_unreadable', {
    ...(problems.length > MAX_PROBLEMS && {
      detail: `${problems.length} lines have errors; the first are listed.`,
    }),
    errors: problems.slice(0, MAX_PROBLEMS),
  });

// Who uses which device, named for many at once.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { seedFleet } from '../../test/harness/seeded-fleet.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
  await seedFleet(api.database, api.ring);
});
afterAll(() => api.close());

const list = async (
  query: string,
): Promise<{ id: string; user: string | null; bucket: string; waitsFor: string }[]> =>
  (await api.call('GET', `/api/devices?${query}`)).body.items;

test('the users of many are named by CSV: all lines or none, and what is shown follows', async () => {
  const set = (csv: string, preview = false) => api.call('POST', '/api/devices/users', { csv, preview });
  const [phone] = await list('family=iPhone&search=c02seed3');
  const refused = await set('serialNumber,user\nC02SEED3,new@acme.example\nNOBODY,x@acme.example\n');
  expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
    422,
    'devices.users_unreadable',
    [
      {
        field: 'line 3',
        reason: 'No device has this serialNumber.',
        code: 'devices.users_unreadable',
      },
    ],
  ]);
  const userOf = async (id = '') => (await api.call('GET', `/api/devices/${id}`)).body.user as string | null;
  const was = await userOf(phone?.id);
  const csv = 'Name;SerialNumber;User\nx;c02seed3;new@acme.example\ny;C02SEED1;\n';
  expect((await set(csv, true)).body).toEqual({ changed: 1, unchanged: 0 });
  expect(await userOf(phone?.id)).toBe(was);
  expect((await set(csv)).body).toEqual({ changed: 1, unchanged: 0 });
  expect(await userOf(phone?.id)).toBe('new@acme.example');
  expect((await set(csv)).body).toEqual({ changed: 0, unchanged: 1 });
  // What the export writes can be given back as it is.
  const { text } = await api.call('GET', '/api/devices/export');
  expect((await set(text)).body).toMatchObject({ changed: 0 });
  for (const [wrong, reason] of [
    ['name,user\nx,y', 'The first line has no column'],
    ['id,user\nc02seed3,a\nC02SEED3,b', 'No device has this id.'],
    ['serialNumber,user\nC02SEED3,a\nc02seed3,b', 'An earlier line names another user'],
  ])
    expect((await set(wrong ?? '')).body.errors.at(-1).reason).toContain(reason);
});

test('an iPhone whose user is unknown is never said to wait for a sign-in, and a user is all it needs', async () => {
  const [phone] = await list('family=iPhone&search=c02seed3');
  const id = phone?.id ?? '';
  await api.database.query(
    `update device_trust set failure_code = null, phase = 'delivered' where device_id = $1`,
    [id],
  );
  await api.call('PATCH', `/api/devices/${id}`, { user: null });
  const nameless = (await api.call('GET', `/api/devices/${id}`)).body;
  expect(nameless.oktaFinding).toMatchObject({ kind: 'user_unknown', owner: 'admin' });
  expect(nameless.bucket).not.toBe('needs_user');
  expect(JSON.stringify([nameless.waitsFor, nameless.evidence])).not.toMatch(/sign(s|ed)? in/);
  await api.call('POST', '/api/devices/users', { csv: `id,user\n${id},ada@acme.example\n` });
  expect((await api.call('GET', `/api/devices/${id}`)).body.oktaFinding.kind).toBe('no_record');
});

test('two devices with one serial number are named by id', async () => {
  const devices = (await list('family=Mac')).slice(0, 2);
  await api.database.query(`update devices set serial_number = 'TWIN' where id = any ($1)`, [
    devices.map(({ id }) => id),
  ]);
  const { body } = await api.call('POST', '/api/devices/users', {
    csv: 'serialNumber,user\ntwin,ada@acme.example\n',
  });
  expect(body.errors[0].reason).toBe('2 devices have this serialNumber: identify them by id.');
});

// The quickstart is true: exactly the commands of its page, run in order, lead from nothing to a trusted Mac in the second tenant.
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandsIn, readPage, runCommands } from '../harness/page-commands.ts';
import { startWorld, type World } from '../harness/world.ts';

interface OktaDevice {
  readonly status: string;
  readonly profile: { readonly serialNumber?: string };
  readonly users: readonly { readonly userId: string; readonly managementStatus: string }[];
}
interface KnownDevice {
  readonly id: string;
  readonly serialNumber: string;
  readonly user: string;
  readonly integrationId: string;
}

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 240_000);
afterAll(() => world?.stop(), 60_000);

test('the commands of the quickstart bring a Mac from nothing to trusted in tenant two', async () => {
  const folder = path.join(world.folder, 'reader');
  await mkdir(folder);
  const { code, said } = await runCommands(commandsIn(await readPage('docs/quickstart.md')), {
    ...process.env,
    ODETTE_DATA_DIR: world.environment['ODETTE_DATA_DIR'],
    ODETTE_ADMIN_LISTEN: world.environment['ODETTE_ADMIN_LISTEN'],
    ODETTE_URL: `http://${world.environment['ODETTE_ADMIN_LISTEN']}`,
    SANDBOX: world.sandbox.management,
    TMPDIR: folder,
  });
  expect(code, said).toBe(0);

  const { devices } = (await world.api<{ devices: object }>('GET', '/api/status')).body;
  expect(devices).toEqual({
    total: 1,
    delivered: 1,
    certificateApplies: 1,
    certificatePresent: 1,
    oktaVerifyManaged: 1,
    registered: 1,
    managed: 1,
  });
  const { items } = (await world.api<{ items: KnownDevice[] }>('GET', '/api/devices')).body;
  const [mac] = items;
  expect(mac?.user).toBe('quinn@example.com');
  const evidence = (
    await world.api<{ evidence: { truth: string; state: string }[] }>('GET', `/api/devices/${mac?.id}`)
  ).body.evidence;
  expect(evidence.map(({ state }) => state)).toEqual(Array(5).fill('held'));

  const { host } = await world.manage<{ host: string }>('GET', '/tenants/two');
  const integration = await world.api<{ host: string }>('GET', `/api/integrations/${mac?.integrationId}`);
  expect(integration.body.host).toBe(host);
  const inOkta = await world.manage<OktaDevice[]>('GET', '/tenants/two/devices');
  const [quinn] = await world.manage<{ id: string; login: string }[]>('GET', '/tenants/two/users');
  expect(quinn?.login).toBe('quinn@example.com');
  expect(
    inOkta.map(({ status, profile, users }) => ({ status, serialNumber: profile.serialNumber, users })),
  ).toMatchObject([
    {
      status: 'ACTIVE',
      serialNumber: mac?.serialNumber,
      users: [{ userId: quinn?.id, managementStatus: 'MANAGED' }],
    },
  ]);
  expect(await world.manage('GET', '/tenants/one/devices')).toEqual([]);
  // What Okta shows only once is not left lying about.
  expect((await readdir(folder)).filter((name) => name.startsWith('tmp'))).toEqual([]);
}, 900_000);

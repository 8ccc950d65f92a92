// Worker, API, relay, PostgreSQL and Temporal are killed before and after every message of a rollout: every rollout ends, and no
// device ends with more than one certificate.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KillRound, nameOf, partOf, type KillPoint } from '../harness/kill-points.ts';
import { certificatesOf, managedProfilesOf, onSandbox } from '../harness/pretend-devices.ts';
import { devicesOf, setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, PARTS, startWorld, type PartName, type World } from '../harness/world.ts';

interface IssuedCertificate {
  readonly serialNumber: string;
  readonly subject: string;
  readonly boundTo?: string;
}

type Message = readonly [message: string, nth?: number];

const PHASES = ['before', 'after'] as const;
/** A Mac meets one message of each row, in this order: one kill serves the row of all Macs. */
const OF_MACS: readonly (readonly Message[])[] = [
  [['Authenticate'], ['TokenUpdate'], ['Idle'], ['DeviceInformation']],
  [['ProfileList'], ['CertificateList'], ['ManagedApplicationList'], ['InstalledApplicationList']],
  [['InstallProfile'], ['InstallProfile', 2], ['InstallProfile', 3], ['InstallApplication']],
];
const OF_IPHONES: readonly (readonly Message[])[] = [
  [['ProfileList'], ['InstallProfile']],
  [['InstallApplication'], ['ManagedApplicationConfiguration']],
];
const OF_SERVICES = [
  'apns.push',
  'appsAndBooks.assets.associate',
  'appsAndBooks.status',
  'tenant.one.challenge',
  'tenant.one.scep.GetCACert',
  'tenant.one.scep.PKIOperation',
  'tenant.one.fastpass',
  'tenant.one.token',
  'tenant.one.devices',
];

let world: World;
let trusted: TrustedWorld;

beforeAll(async () => {
  world = await startWorld();
  // A token that is kept would be asked for only once.
  await world.manage('PATCH', '/tenants/one/knobs', { tokens: { lifeSeconds: 1 } });
  trusted = await setUpTrust(world);
}, 120_000);
afterAll(() => world?.stop(), 60_000);

/** One device for each column and phase, with its points. */
function pointsOf(prefix: string, rows: readonly (readonly Message[])[]): [device: string, KillPoint[]][] {
  return PHASES.flatMap((phase) =>
    Array.from({ length: rows[0]?.length ?? 0 }, (_, column): [string, KillPoint[]] => {
      const device = `${prefix}-${phase}-${column + 1}`;
      return [
        device,
        rows.flatMap((row): KillPoint[] => {
          const [message, nth] = row[column] ?? [''];
          return [{ message: `device.${message}`, phase, device, ...(nth !== undefined && { nth }) }];
        }),
      ];
    }),
  );
}

/** Codes are good for one profile: enrolling that a kill cut short begins again. */
async function enroll(device: string): Promise<void> {
  const { odette, sandbox } = trusted.stage;
  const url = world.environment['ODETTE_PUBLIC_URL'] ?? '';
  for (let attempt = 1; ; attempt += 1) {
    const { code } = await odette.call('post /api/blueprints/{id}/enrollment-codes', {
      params: { id: trusted.blueprintId },
      body: { user: `${device}@example.com`, maxUses: 1, expiresInHours: 1 },
    });
    try {
      return await sandbox.enroll(device, url, code);
    } catch (error) {
      if (attempt === 8) throw error;
      await pause(500);
    }
  }
}

const ofPass = async (part: PartName): Promise<KnownDevice[]> =>
  (await devicesOf(trusted)).filter((device) => device.user?.startsWith(`${part}-`));

// A rollout sends no message to the API.
test.each(PARTS.filter((part) => part !== 'api'))(
  '%s is killed before and after every message, and every rollout ends',
  async (part) => {
    const macs = pointsOf(`${part}-mac`, OF_MACS);
    const phones = pointsOf(`${part}-iphone`, OF_IPHONES);
    const free: [string, KillPoint[]][] = [1, 2].map((nth) => [`${part}-free-${nth}`, []]);
    const all = [...macs, ...phones, ...free];
    const startedAt = Date.now();
    for (const [name] of all)
      await world.manage('POST', '/devices', { family: name.includes('iphone') ? 'iPhone' : 'Mac', name });

    const round = new KillRound(world, () => partOf(world, part));
    await round.watch(all.flatMap(([, points]) => points));
    await round.watch(OF_SERVICES.flatMap((message) => PHASES.map((phase) => ({ message, phase }))));
    const enrolling = Promise.all(all.map(([name]) => enroll(name)));
    enrolling.catch(() => undefined);

    const areTrusted = async (): Promise<boolean> => {
      const known = await ofPass(part);
      return known.length === all.length && known.every(({ bucket }) => bucket === 'trusted');
    };
    await round.run(areTrusted);
    await enrolling;
    await eventually(
      () => ofPass(part),
      (known) => known.length === all.length && known.every(({ bucket }) => bucket === 'trusted'),
      {
        withinMs: 90_000,
        everyMs: 1000,
        what: `${all.length} devices trusted`,
      },
    );
    console.log(
      `${part}: ${round.kills} kills, ${all.length} devices, ${Math.round((Date.now() - startedAt) / 1000)} s`,
    );
    expect(round.open.map(nameOf), 'points that held nothing').toEqual([]);
    await expectOneCertificateEach(all.map(([name]) => name));
    await expectRolloutsCompleted(part);
  },
  600_000,
);

async function expectOneCertificateEach(names: readonly string[]): Promise<void> {
  const issued = await world.manage<IssuedCertificate[]>('GET', '/tenants/one/certificates');
  for (const name of names) {
    const device = await onSandbox(world, name);
    const certificates = certificatesOf(device);
    expect(certificates, `certificates of ${name}`).toHaveLength(device.family === 'Mac' ? 1 : 0);
    expect(managedProfilesOf(device), `profiles of ${name}`).toHaveLength(device.family === 'Mac' ? 3 : 1);
    expect(device.counts['appInstalledAgain'] ?? 0, `apps of ${name} installed again`).toBe(0);
    const used = issued.filter(
      ({ subject, boundTo }) => boundTo !== undefined && subject.includes(device.hardware.udid),
    );
    expect(
      used.map(({ serialNumber }) => serialNumber),
      `certificates in use by ${name}`,
    ).toEqual(certificates.map(({ serialNumber }) => serialNumber));
  }
}

/** A device is trusted as soon as Okta says so; its rollout may still look once more. */
async function expectRolloutsCompleted(part: PartName): Promise<void> {
  for (const { id } of await ofPass(part)) {
    const device = await eventually(
      () => trusted.stage.odette.call('get /api/devices/{id}', { params: { id } }),
      ({ phase }) => phase === 'delivered',
      { withinMs: 120_000, everyMs: 500, what: `rollout of ${id} delivered` },
    );
    expect(device.rollouts.length).toBeGreaterThan(0);
    expect(device.rollouts.map(({ outcome }) => outcome)).toEqual(device.rollouts.map(() => 'completed'));
    expect(device.certificates.filter(({ state }) => state === 'proven').length).toBeLessThanOrEqual(1);
  }
}

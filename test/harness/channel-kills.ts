// Rollouts through another MDM server during which that server and parts of Odette are killed: what may come of it, whichever server it is.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Database } from '../../adapters/store/base/database.ts';
import type { ChannelScenario } from './channel-scenario.ts';
import { KillRound, partOf, type KillPoint, type Victim } from './kill-points.ts';
import { certificatesOf, onSandbox } from './pretend-devices.ts';
import { devicesOf, type TrustedWorld } from './stage.ts';
import { seededRandom } from './webhook-relay.ts';
import { eventually, type World } from './world.ts';

const MACS = ['kill-mac-1', 'kill-mac-2', 'kill-mac-3'];
const PHONE = 'kill-iphone-1';
const DEVICES = [...MACS, PHONE];
const OF_EVERY = [
  'Authenticate',
  'TokenUpdate',
  'Idle',
  'ProfileList',
  'InstallProfile',
  'InstallApplication',
];
const OF_MACS = [...OF_EVERY, 'CertificateList', 'ManagedApplicationList'];
const PARTS = ['devices', 'worker', 'relay'] as const;
const POINTS_OF_DEVICE = 5;

interface Stage {
  readonly world: World;
  readonly trusted: TrustedWorld;
  readonly scenario: ChannelScenario;
  readonly database: Database;
  /** The other server, which is killed at every other turn. */
  readonly server: Victim & { readonly name: string };
  readonly seed: number;
  /** Every two seconds. */
  meanwhile(): Promise<unknown>;
}

/** Three Macs and an iPhone enroll while messages of theirs, taken by the seed, each meet a kill. @throws when not all become trusted */
export async function rollOutUnderKills(stage: Stage, withinMs: number): Promise<void> {
  const { world, trusted, scenario, server, seed } = stage;
  const random = seededRandom(seed);
  const oneOf = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const killed: string[] = [];
  const round = new KillRound(world, () => {
    const part = oneOf(PARTS);
    const isServer = killed.length % 2 === 0;
    killed.push(isServer ? server.name : part);
    return isServer ? server : partOf(world, part);
  });
  for (const name of DEVICES)
    await world.manage('POST', '/devices', { family: name === PHONE ? 'iPhone' : 'Mac', name });
  await scenario.readDevices();
  const points = DEVICES.flatMap((device) =>
    Array.from({ length: POINTS_OF_DEVICE }, (): KillPoint => {
      const message = `device.${oneOf(device === PHONE ? OF_EVERY : OF_MACS)}`;
      return { message, phase: oneOf(['before', 'after']), device };
    }),
  );
  await round.watch(points);

  const areTrusted = async (): Promise<boolean> => {
    const known = await devicesOf(trusted).catch(() => []);
    return known.length === DEVICES.length && known.every(({ bucket }) => bucket === 'trusted');
  };
  let isOver = false;
  const meanwhile = (async () => {
    while (!isOver) {
      await stage.meanwhile().catch(() => undefined);
      await nameUserOfPhone(stage).catch(() => undefined);
      await callAll(stage).catch(() => undefined);
      await pause(2_000);
    }
  })();
  try {
    const enrolling = Promise.all(DEVICES.map((name) => scenario.enroll(name)));
    enrolling.catch(() => undefined);
    await round.run(areTrusted);
    await enrolling;
    await eventually(areTrusted, Boolean, { withinMs, everyMs: 1_000, what: 'all are trusted' });
  } finally {
    isOver = true;
    await meanwhile;
    console.log(
      `seed ${seed}: killed ${killed.join(', ')}; left out ${round.open.length} of ${points.length} points`,
    );
  }
  expect(killed).toContain(server.name);
  expect(killed.filter((name) => name !== server.name)).not.toEqual([]);
  await expectOneCertificateEach(stage);
}

/** Where all of an enrollment got lost, the device is known when it calls. That it calls all the time keeps nothing from being asked again. */
async function callAll({ world }: Stage): Promise<void> {
  for (const name of DEVICES) await world.manage('POST', `/devices/${name}/connect`);
}

/** An iPhone is found in Okta by its user. */
async function nameUserOfPhone({ trusted, scenario }: Stage): Promise<void> {
  const udid = scenario.udidOf(PHONE);
  const found = (await devicesOf(trusted)).find((each) => each.udid === udid && each.user === null);
  if (!found) return;
  const body = { user: `${PHONE}@example.com` };
  await trusted.stage.odette.call('patch /api/devices/{id}', { params: { id: found.id }, body });
}

/** Of each Mac one, from one challenge that was handed over once; nothing was installed twice. */
async function expectOneCertificateEach({ world, database }: Stage): Promise<void> {
  for (const name of DEVICES) {
    const device = await onSandbox(world, name);
    const count = device.family === 'Mac' ? 1 : 0;
    expect(certificatesOf(device), `certificates of ${name}`).toHaveLength(count);
    expect(device.counts['certificatesReceived'] ?? 0, `certificates that ${name} ever got`).toBe(count);
    expect(device.counts['appInstalledAgain'] ?? 0).toBe(0);
  }
  const handedOver = await database.query<{ handOvers: number }>(
    'select hand_overs from commands where uuid in (select command_uuid from certificate_deliveries)',
  );
  expect(handedOver.length).toBeGreaterThanOrEqual(MACS.length);
  expect(handedOver.filter(({ handOvers }) => handOvers > 1)).toEqual([]);
}

// A world of its own for each test file of the devices: folder, authorities, a small server, one fleet.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authorities } from '../../sandbox/authorities.ts';
import { openAuthorities } from '../../sandbox/authorities.ts';
import { MovableClock } from '../../sandbox/clock.ts';
import { HoldPoints } from '../../sandbox/hold-points.ts';
import type { PretendDevice } from '../../sandbox/devices/device.ts';
import type { NewDevice } from '../../sandbox/devices/fleet.ts';
import { Fleet } from '../../sandbox/devices/fleet.ts';
import { DeviceKeys } from '../../sandbox/devices/device-keys.ts';
import { Network } from '../../sandbox/devices/network.ts';
import { SmallMdmServer } from './small-mdm-server.ts';

export interface TestWorld {
  readonly folder: string;
  readonly authorities: Authorities;
  readonly clock: MovableClock;
  readonly holds: HoldPoints;
  readonly server: SmallMdmServer;
  fleet: Fleet;
  /** Serial numbers that have a license of Okta Verify. */
  readonly licenses: Set<string>;
  reopenFleet(): Promise<Fleet>;
  enrolled(device: NewDevice): Promise<PretendDevice>;
  /** Pushes, and waits for the response of a command. */
  ask(
    device: PretendDevice,
    requestType: string,
    keys?: Parameters<SmallMdmServer['send']>[1],
  ): ReturnType<SmallMdmServer['send']>;
  close(): Promise<void>;
}

export function push(device: PretendDevice): boolean {
  const { enrollment } = device.state;
  const target = enrollment && device.pushTarget(enrollment.pushToken);
  return target?.deliver(Buffer.from(JSON.stringify({ mdm: enrollment?.pushMagic }))) ?? false;
}

export async function openTestWorld(): Promise<TestWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'odette-sandbox-'));
  const authorities = await openAuthorities(join(folder, 'authorities'));
  const clock = new MovableClock();
  const holds = new HoldPoints();
  const server = await SmallMdmServer.start(authorities);
  const network = new Network(authorities.tls.certificate.pem);
  const keys = new DeviceKeys();
  const licenses = new Set<string>();
  const open = (): Promise<Fleet> =>
    Fleet.open({
      folder: join(folder, 'devices'),
      clock,
      network,
      keys,
      holds,
      licenses: { hasLicense: async (serialNumber) => licenses.has(serialNumber) },
    });
  const world: TestWorld = {
    folder,
    authorities,
    clock,
    holds,
    server,
    licenses,
    fleet: await open(),
    reopenFleet: async () => {
      await world.fleet.close();
      world.fleet = await open();
      world.fleet.resume();
      return world.fleet;
    },
    enrolled: async (wanted) => {
      const device = await world.fleet.add(wanted);
      await device.enroll({ url: server.url, code: 'any' });
      return device;
    },
    ask: (device, requestType, given = {}) => {
      const response = server.send(requestType, given);
      push(device);
      return response;
    },
    close: async () => {
      await world.fleet.close();
      network.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

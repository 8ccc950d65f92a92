// Whether two of each of Odette's processes do twice the work: Macs at once with one API, device process, relay and worker, and with two of
// each, in turns, every process held to a share of one core. `npm run bench:doubled` (DOUBLED_MACS 40, DOUBLED_CORES 0.2, DOUBLED_ROUNDS 2).
import { connect, createServer } from 'node:net';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import { connectOkta, giveAppleCertificates } from '../../sandbox/demo/set-up.ts';
import { freePort } from '../../workers/free-port.ts';
import { startNodeProcess, type NodeProcess } from '../../workers/node-process.ts';
import { stageOf } from '../harness/stage.ts';
import { startWorld } from '../harness/world.ts';
import { CpuShare } from './cpu-share.ts';
import { addAwakeMacs, lookSoonAtOkta, switchOn, trustedNow, untilTrusted } from './macs-at-once.ts';
import { costOf } from './process-costs.ts';

const MACS = Number(process.env['DOUBLED_MACS'] ?? 40);
const CORES = Number(process.env['DOUBLED_CORES'] ?? 0.2);
const ROUNDS = Number(process.env['DOUBLED_ROUNDS'] ?? 2);
const WARM_MACS = 16;
const PROGRAMS = {
  devices: 'workers/device-server',
  api: 'workers/api-server',
  relay: 'workers/relay',
  worker: 'workers/worker',
} as const;

const world = await startWorld();
const database = connectDatabase(world.databaseUrl, { max: 2, applicationName: 'bench' });
const shares: CpuShare[] = [];
const stops: (() => Promise<unknown>)[] = [];
try {
  // Devices know one address: a balancer has it, and passes connections on in turn.
  await world.kill('devices');
  const served: number[] = [];
  let turn = 0;
  const balancer = createServer((device) => {
    const server = connect(served[(turn += 1) % served.length] ?? 0, '127.0.0.1');
    for (const socket of [device, server])
      socket.on('error', () => undefined).on('close', () => [device, server].map((each) => each.destroy()));
    device.pipe(server).pipe(device);
  });
  const { port } = new URL(world.environment['ODETTE_PUBLIC_URL'] ?? '');
  await new Promise<void>((resolve) => balancer.listen(Number(port), '127.0.0.1', resolve));
  stops.push(async () => balancer.close());

  const first = await startDevices('devices');
  stops.push(() => first.process.stop());
  served.push(first.port);
  const { api, relay, worker } = world.pids();
  for (const [name, pid] of Object.entries({ api, relay, worker, devices: first.process.pid }))
    held(name, pid ?? 0);

  const stage = await stageOf(world);
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  await lookSoonAtOkta(stage.odette, integrationId);
  const seconds: Record<'one' | 'two', number[]> = { one: [], two: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    // What was just started compiles what it does; at a fifth of a core that takes long.
    await rollOut(`warm-one-${round}`, WARM_MACS);
    seconds.one.push(await rollOut(`one-${round}`, MACS));
    const endSecond = await startSecond(round);
    await rollOut(`warm-two-${round}`, WARM_MACS);
    seconds.two.push(await rollOut(`two-${round}`, MACS));
    await endSecond();
  }
  const speed = (times: readonly number[]) => (MACS * times.length) / times.reduce((sum, each) => sum + each);
  console.log(
    `one of each ${speed(seconds.one).toFixed(2)} rollouts/s, two of each ${speed(seconds.two).toFixed(2)}: ${(speed(seconds.two) / speed(seconds.one)).toFixed(2)} ×`,
  );

  async function startDevices(name: string): Promise<{ process: NodeProcess; port: number }> {
    const [own, metrics] = [await freePort(), await freePort()];
    const process = await startNodeProcess({
      name,
      program: PROGRAMS.devices,
      folder: world.folder,
      environment: {
        ...world.environment,
        ODETTE_DEVICE_LISTEN: `127.0.0.1:${own}`,
        ODETTE_DEVICE_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      },
    });
    return { process, port: own };
  }

  /** Held to its share once it has started: what a start costs is not what is asked. */
  function held(name: string, pid: number): CpuShare {
    const share = new CpuShare(name, CORES);
    shares.push(share);
    share.hold(pid);
    return share;
  }

  /** Returns what ends them. */
  async function startSecond(round: number): Promise<() => Promise<void>> {
    const devices = await startDevices('devices-2');
    const others = await Promise.all(
      (['api', 'relay', 'worker'] as const).map(async (name) => ({
        name,
        process: await startNodeProcess({
          name: `${name}-2`,
          program: PROGRAMS[name],
          folder: world.folder,
          environment: {
            ...world.environment,
            [`ODETTE_${name === 'api' ? 'ADMIN' : name.toUpperCase()}_LISTEN`]: `127.0.0.1:${await freePort()}`,
          },
        }),
      })),
    );
    const all = [...others, { name: 'devices' as const, process: devices.process }];
    stops.push(...all.map((each) => () => each.process.stop()));
    for (const each of all) held(`${each.name}-2-${round}`, each.process.pid);
    served.push(devices.port);
    return async () => {
      served.pop();
      await Promise.all(all.map((each) => each.process.stop()));
    };
  }

  /** Macs of a blueprint of their own: enrolled first, then the switch is turned on. Returns the seconds until all are trusted. */
  async function rollOut(name: string, macs: number): Promise<number> {
    await addAwakeMacs(world, name, macs);
    const { id } = await stage.odette.call('post /api/blueprints', { body: { name } });
    await enrollDevices(stage, id);
    const before = await trustedNow(database);
    const spent = costs();
    const began = performance.now();
    await switchOn(stage.odette, integrationId, id);
    await untilTrusted(database, before + macs);
    const seconds = (performance.now() - began) / 1000;
    const load = os.loadavg().map((each) => each.toFixed(1));
    const used = Object.entries(costs()).map(
      ([part, cpuMs]) => `${part} ${Math.round((cpuMs - (spent[part] ?? 0)) / macs)}`,
    );
    console.log(
      `${name}: ${macs} Macs in ${seconds.toFixed(1)} s, ${(macs / seconds).toFixed(2)} rollouts/s (load average ${load.join(' ')}); CPU ms each: ${used.join(', ')}`,
    );
    return seconds;
  }

  /** Of what the world started; a second process is not among them. */
  function costs(): Record<string, number> {
    return Object.fromEntries(Object.entries(world.pids()).map(([name, pid]) => [name, costOf(pid).cpuMs]));
  }
} finally {
  for (const stop of stops.toReversed()) await stop();
  await database.end();
  await world.stop();
  for (const share of shares) share.remove();
}

// Odette's device listener against NanoMDM v0.9.0 and micromdm/scep v2.3.0: the same devices and messages, one PostgreSQL, taking turns.
// `npm run bench:nanomdm`. Odette answers over TLS, and so does NanoMDM with a pool; as published it speaks plain HTTP. Needs Go.
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { newRsaKeyPair, selfSign } from '../../adapters/pki/certificate-authority.ts';
import { startEmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { TOPIC } from '../harness/device-listener.ts';
import {
  commandIn,
  CONNECTIONS,
  load,
  prepare,
  type Load,
  type LoadDevice,
  type Rival,
} from './device-load.ts';
import { quantile } from './measured.ts';
import { startNanoMdm, startScepServer } from './nanomdm-rivals.ts';
import { ODETTE, startOdetteRival } from './odette-rival.ts';
import { buildPeers, type PeerPrograms } from './peers.ts';
import { costOf } from './process-costs.ts';

const DEVICES = Number(process.env['BENCH_DEVICES'] ?? 200);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const IDLES_OF_DEVICE = 10;
const COMMANDS_OF_DEVICE = 3;

const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-nanomdm-'));
// PostgreSQL runs as an unprivileged user, who must get through.
chmodSync(folder, 0o711);
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  const programs = buildPeers(folder);
  if (programs) await compare(programs);
  else console.log('Skipped: Go, which builds NanoMDM and micromdm/scep, is not installed.');
} finally {
  for (const stop of stops.reverse()) await stop().catch((error: unknown) => console.error(error));
}

interface Line extends Load {
  readonly cpuMs: number;
}

async function compare(programs: PeerPrograms): Promise<void> {
  const tls = await writeTls();
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres') });
  stops.push(() => postgres.stop());
  const odette = await startOdetteRival({ folder, tls, databaseUrl: postgres.url });
  stops.push(() => odette.stop());
  const setting = { programs, tls, postgres, authorityPem: odette.authorityPem, folder };
  const rivals: Rival[] = [odette];
  for (const form of ['published', 'pooled'] as const) {
    const nano = await startNanoMdm(form, setting);
    stops.push(() => nano.stop());
    rivals.push(nano);
  }
  const scep = await startScepServer(setting);
  stops.push(() => scep.stop());

  const lines = new Map<string, Map<string, Line[]>>();
  const measure = async (line: string, rival: { name: string; pid: number }, work: () => Promise<Load>) => {
    const before = costOf(rival.pid).cpuMs;
    const done = await work();
    const cpuMs = (costOf(rival.pid).cpuMs - before) / done.requests;
    const ofLine = lines.get(line) ?? new Map<string, Line[]>();
    ofLine.set(rival.name, [...(ofLine.get(rival.name) ?? []), { ...done, cpuMs }]);
    lines.set(line, ofLine);
  };
  const keyPair = await newRsaKeyPair();

  // The first round warms everything up and is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    // Each first in turn: what was written before costs whoever comes later.
    const inTurn = rivals.map((_, index) => rivals[(index + round) % rivals.length] as Rival);
    const devices: LoadDevice[] = [];
    for (const authority of round % 2 === 0 ? [odette, scep] : [scep, odette]) {
      const requests = await authority.prepareCertificates(DEVICES, keyPair);
      await measure('SCEP certificate', authority, () =>
        load(requests, async (request, timed) => {
          const device = await request(timed);
          if (authority === odette) devices.push(device);
        }),
      );
    }
    const enrolling = devices.map((device) => [authenticateOf(device), tokenOf(device)] as const);
    for (const rival of inTurn)
      await measure('enrollment', rival, () =>
        load(enrolling, async ([authenticate, token], timed) => {
          await timed(rival.send(authenticate));
          await timed(rival.send(token));
        }),
      );
    const idles = devices.map((device) => prepare(device, { Status: 'Idle' }));
    for (const rival of inTurn)
      await measure('idle, nothing to do', rival, () =>
        load(Array.from({ length: IDLES_OF_DEVICE }, () => idles).flat(), async (idle, timed) => {
          if (commandIn(await timed(rival.send(idle))) !== undefined) throw new Error('there was a command');
        }),
      );
    for (const rival of inTurn) {
      const uuids = await rival.queue(devices, COMMANDS_OF_DEVICE);
      const conversations = devices.map((device, index) => ({
        idle: prepare(device, { Status: 'Idle' }),
        responses: new Map(
          (uuids[index] ?? []).map((uuid) => [
            uuid,
            prepare(device, { Status: 'Acknowledged', CommandUUID: uuid }),
          ]),
        ),
      }));
      await measure('command, response, next', rival, () =>
        load(conversations, async ({ idle, responses }, timed) => {
          let next = commandIn(await timed(rival.send(idle)));
          for (; next !== undefined;) {
            const response = responses.get(next);
            if (!response) throw new Error(`a command of nobody, or a second time: ${next}`);
            responses.delete(next);
            next = commandIn(await timed(rival.send(response)));
          }
          if (responses.size > 0) throw new Error(`${responses.size} commands were not offered`);
        }),
      );
    }
    if (round === 0) lines.clear();
  }
  print(lines);
}

function authenticateOf(device: LoadDevice) {
  return prepare(device, {
    MessageType: 'Authenticate',
    Topic: TOPIC,
    DeviceName: 'Studio',
    Model: 'Mac14,2',
    ModelName: 'MacBook Air',
    ProductName: 'Mac14,2',
    OSVersion: '26.1',
    SerialNumber: `C02${device.udid.slice(0, 8)}`,
  });
}

function tokenOf(device: LoadDevice) {
  return prepare(device, {
    MessageType: 'TokenUpdate',
    Topic: TOPIC,
    Token: randomBytes(32),
    PushMagic: 'magic',
    AwaitingConfiguration: false,
  });
}

async function writeTls(): Promise<{ cert: string; key: string }> {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const now = Date.now();
  const [notBefore, notAfter] = [new Date(now - 3_600_000), new Date(now + 86_400_000)];
  const subject = [['CN', 'localhost']] as const;
  const certificate = selfSign({ subject, publicKey, notBefore, notAfter, use: 'registration' }, privateKey);
  const files = { cert: path.join(folder, 'tls.pem'), key: path.join(folder, 'tls.key') };
  await writeFile(files.cert, certificate.pem);
  await writeFile(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return files;
}

function print(lines: ReadonlyMap<string, ReadonlyMap<string, readonly Line[]>>): void {
  console.log(
    `${DEVICES} devices, ${CONNECTIONS} connections, medians of ${ROUNDS} rounds; load average ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  for (const [line, rivals] of lines) {
    console.log(
      `\n${line.padEnd(28)}${['per s', 'p50 ms', 'p95 ms', 'CPU ms', 'ours/theirs'].map((cell) => cell.padStart(12)).join('')}`,
    );
    const median = (name: string, pick: (line: Line) => number): number =>
      quantile((rivals.get(name) ?? []).map(pick), 0.5);
    for (const name of rivals.keys()) {
      const perSecond = median(name, ({ requestsPerSecond }) => requestsPerSecond);
      const cells = [
        perSecond.toFixed(0),
        median(name, ({ p50 }) => p50).toFixed(1),
        median(name, ({ p95 }) => p95).toFixed(1),
        median(name, ({ cpuMs }) => cpuMs).toFixed(2),
        name === ODETTE
          ? ''
          : (median(ODETTE, ({ requestsPerSecond }) => requestsPerSecond) / perSecond).toFixed(2),
      ];
      console.log(`${name.padEnd(28)}${cells.map((cell) => cell.padStart(12)).join('')}`);
    }
  }
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import express from 'express';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CataloguedError } from '../../domain/failures.ts';
import { deviceMetrics } from './device-metrics.ts';
import { deviceRefusals } from './device-refusal.ts';

interface Line {
  readonly code?: string;
  readonly msg: string;
  readonly leftOut?: number;
}
let lines: Line[];
let registry: Registry;
let server: Server;
let url: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  lines = [];
  registry = new Registry();
  const log = pino(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as Line);
        done();
      },
    }),
  );
  const app = express();
  app.get('/stranger', () => {
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'issuer' } });
  });
  app.get('/busy', () => {
    throw new CataloguedError('server.unavailable');
  });
  app.use(deviceRefusals(log, deviceMetrics(registry, { waiting: 0 })));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});

const ask = async (path: string, times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) await (await fetch(url + path)).arrayBuffer();
};

test('whoever is refused again and again leaves sixty lines a minute, and what happens to others is still told', async () => {
  await ask('/stranger', 200);
  expect(lines).toHaveLength(60);
  await ask('/busy', 1);
  expect(lines.at(-1)).toMatchObject({ msg: 'a device was not served' });
  expect(lines).toHaveLength(61);
  expect(await registry.metrics()).toMatch(
    /odette_device_refusals_total\{code="mdm.signature_refused"\} 200/,
  );

  vi.setSystemTime(Date.now() + 60_000);
  await ask('/stranger', 2);
  expect(lines.slice(61)).toEqual([
    expect.objectContaining({ code: 'mdm.signature_refused', leftOut: 140 }),
    expect.not.objectContaining({ leftOut: expect.anything() }),
  ]);
});

// What the launcher is made of: one launcher a folder, ports that stay, parts that are started again, processes that are not left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endRecordedChild, recordChild } from './child-record.ts';
import { openDataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { supervise, type Part } from './supervise.ts';
import { sandboxPorts } from './launch-sandbox.ts';
import { persistedPorts } from './persisted-ports.ts';
import { isRunning, startOf } from './processes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-parts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a data folder', () => {
  test('is used by one launcher at a time, and given back', async () => {
    const first = await openDataFolder(folder, { isSandbox: true });
    await expect(openDataFolder(folder, { isSandbox: true })).rejects.toThrow(/already runs/);
    await first.release();
    await (await openDataFolder(folder, { isSandbox: true })).release();
  });

  test('is taken over from a launcher that is gone, also when its pid belongs to another process now', async () => {
    await writeFile(
      path.join(folder, 'launcher.lock'),
      JSON.stringify({ pid: process.pid, start: `${startOf(process.pid)}0` }),
    );
    await (await openDataFolder(folder, { isSandbox: false })).release();
  });

  test('of the sandbox is never opened by a real installation', async () => {
    await (await openDataFolder(folder, { isSandbox: true })).release();
    await expect(openDataFolder(folder, { isSandbox: false })).rejects.toThrow(/belongs to the sandbox/);
    await (await openDataFolder(folder, { isSandbox: true })).release();
  });
});

describe('ports', () => {
  const occupy = async (port: number): Promise<() => void> => {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return () => server.close();
  };

  test('that are taken are replaced by the next free one, and stay what they were', async () => {
    const file = path.join(folder, 'ports.json');
    const wanted = await freePort();
    const free = await occupy(wanted);
    const first = await persistedPorts(file, [{ name: 'devices', wanted, isFixed: true }]);
    expect(first['devices']).toBeGreaterThan(wanted);
    free();
    expect(await persistedPorts(file, [{ name: 'devices', wanted, isFixed: true }])).toEqual(first);
  });

  test('that devices know do not move: the start is refused', async () => {
    const file = path.join(folder, 'ports.json');
    const ports = await persistedPorts(file, [
      { name: 'devices', wanted: await freePort(), isFixed: true },
      { name: 'metrics', wanted: await freePort(), isFixed: false },
    ]);
    const free = [await occupy(ports['metrics'] ?? 0)];
    const wanted = (isFixed: boolean, name: string) => ({ name, wanted: 1024, isFixed });
    const moved = await persistedPorts(file, [wanted(true, 'devices'), wanted(false, 'metrics')]);
    expect(moved['metrics']).not.toBe(ports['metrics']);
    free.push(await occupy(ports['devices'] ?? 0));
    await expect(persistedPorts(file, [wanted(true, 'devices')])).rejects.toThrow(
      new RegExp(`Port ${ports['devices']} \\(devices\\)`),
    );
    for (const release of free) release();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(moved);
  });

  const environment = (port: number | string) => ({ SANDBOX_TENANT_ONE_PORT: String(port) });
  test('of the sandbox are those of the settings; a start that would move one is refused, and so is one that is taken', async () => {
    const file = path.join(folder, 'ports.json');
    const port = await freePort();
    const first = await persistedPorts(file, sandboxPorts(environment(port)));
    expect(first['tenant one']).toBe(port);
    expect(first['tenant two']).not.toBe(port);
    await expect(persistedPorts(file, sandboxPorts(environment(port + 1)))).rejects.toThrow(
      `SANDBOX_TENANT_ONE_PORT is ${port + 1}, but this installation uses port ${port}`,
    );
    const free = await occupy(port);
    await expect(persistedPorts(file, sandboxPorts(environment(port)))).rejects.toThrow(
      `Port ${port} (SANDBOX_TENANT_ONE_PORT) is in use by another program`,
    );
    free();
    expect(() => sandboxPorts(environment('http'))).toThrow('SANDBOX_TENANT_ONE_PORT must be a port');
  });
});

describe('a part', () => {
  test('that ends by itself is started again, and after stop it is not', async () => {
    const parts: { end: () => void }[] = [];
    let stopped = 0;
    const start = async (): Promise<Part> => {
      let end: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      parts.push({ end });
      return {
        ended,
        stop: async () => {
          stopped += 1;
          end();
        },
      };
    };
    const said: string[] = [];
    const kept = await supervise({ name: 'part', start, say: (line) => said.push(line) });
    parts[0]?.end();
    await expect.poll(() => said).toContain('part runs again.');
    expect(parts).toHaveLength(2);
    await kept.stop();
    expect(stopped).toBe(1);
    expect(parts).toHaveLength(2);
  });

  test('that does not start the first time is an error, not a loop', async () => {
    const start = () => Promise.reject(new Error('no key'));
    await expect(supervise({ name: 'part', start, say: () => undefined })).rejects.toThrow('no key');
  });

  test('that outlived its launcher is ended by the next, and a stranger with its pid is not', async () => {
    const record = path.join(folder, 'part.json');
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    await recordChild(record, pid);
    const other = JSON.stringify({ pid, start: 'another time' });
    await writeFile(`${record}.other`, other);
    expect(await endRecordedChild(`${record}.other`, 1000)).toBe(false);
    expect(isRunning(pid)).toBe(true);
    expect(await endRecordedChild(record, 1000)).toBe(true);
    expect(isRunning(pid)).toBe(false);
  });
});

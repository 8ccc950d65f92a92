// A world that cannot be started leaves nothing behind: no process, no file.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import { expect, test } from 'vitest';
import { startWorld } from './world.ts';

/** Everything that descends from this process. */
function descendants(): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const processes = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const known = new Set([String(process.pid)]);
  const found: string[] = [];
  for (let before = 0; before !== known.size;) {
    before = known.size;
    for (const [, pid, parent, args] of processes)
      if (pid !== undefined && parent !== undefined && known.has(parent) && !known.has(pid)) {
        known.add(pid);
        if (!args?.startsWith('ps ')) found.push(args ?? '');
      }
  }
  return found;
}

const folders = (): string[] =>
  readdirSync(os.tmpdir()).filter((name) => name.startsWith(`odette-world-${process.pid}-`));

test('a world whose last part does not start ends all the others and removes their folder', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const before = descendants();
  const { port } = taken.address() as AddressInfo;
  const starting = startWorld({ settings: { ODETTE_RELAY_LISTEN: `127.0.0.1:${port}` } });
  await expect(starting).rejects.toThrow('relay ended before it was ready');
  taken.close();
  expect(descendants()).toEqual(before);
  expect(folders()).toEqual([]);
}, 240_000);

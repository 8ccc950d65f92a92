// `odette` as the shell meets it: a process with options, pipes, signals and exit codes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-shell-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ODETTE = fileURLToPath(new URL('odette.mjs', import.meta.url));
/** `odette ARGUMENTS` in a pipe or by itself; what stands behind it is run by the shell. */
const shell = (line: string) =>
  spawnSync('bash', ['-c', line], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, ODETTE, ODETTE_DATA_DIR: folder },
  });

test('it ends quietly, as by SIGPIPE, when nobody reads its answer any more', () => {
  const { stdout, stderr } = shell('"$NODE" "$ODETTE" --help | true; echo "${PIPESTATUS[0]}"');
  expect({ stdout, stderr }).toEqual({ stdout: '141\n', stderr: '' });
});

test('it ends by the signal that it gets', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const child = spawn(process.execPath, [ODETTE, 'status'], {
    env: { ...process.env, ODETTE_URL: `http://127.0.0.1:${port}`, ODETTE_TOKEN: 'x' },
    stdio: 'ignore',
  });
  const [asking] = (await once(silent, 'connection')) as [Socket];
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([null, 'SIGTERM']);
  asking.destroy();
  silent.close();
});

test('`up` takes no option that it does not know for a start', () => {
  const { status, stderr } = shell('"$NODE" "$ODETTE" up --nosandbox');
  expect(status).toBe(2);
  expect(stderr).toContain('Did you mean --no-sandbox?');
});

test('`status` with a data folder in which nothing runs says so and how to start it', () => {
  const { status, stderr } = shell('"$NODE" "$ODETTE" status');
  expect(status).toBe(3);
  expect(stderr).toContain(`odette: No running Odette uses the data folder ${folder} (ODETTE_DATA_DIR).`);
  expect(stderr).toContain('odette up --no-sandbox');
});

// How `odette` finds the server and its token, and that this machine's token goes nowhere else.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findServer } from './find-server.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-find-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const GONE_PID = 2 ** 30;

async function started(name: string, pid: number): Promise<string> {
  const data = path.join(folder, name);
  await mkdir(data, { recursive: true });
  const tokenFile = path.join(data, 'cli-token');
  await writeFile(tokenFile, `token of ${name}\n`);
  await writeFile(
    path.join(data, 'runtime.json'),
    JSON.stringify({ api: 'http://127.0.0.1:4780/', tokenFile, pid, sandbox: false }),
  );
  return data;
}

test('the running one on this machine is found through its data folder', async () => {
  const data = await started('odette', process.pid);
  expect(await findServer({ ODETTE_DATA_DIR: data })).toEqual({
    url: 'http://127.0.0.1:4780',
    token: 'token of odette',
  });
});

test('ODETTE_URL with a token of one’s own wins', async () => {
  const data = await started('odette', process.pid);
  const file = path.join(folder, 'mine');
  await writeFile(file, 'my token\n');
  const environment = { ODETTE_URL: 'https://odette.example.com/', ODETTE_DATA_DIR: data };
  expect(await findServer({ ...environment, ODETTE_TOKEN_FILE: file })).toEqual({
    url: 'https://odette.example.com',
    token: 'my token',
  });
  expect((await findServer({ ...environment, ODETTE_TOKEN: 'given' })).token).toBe('given');
});

test('this machine’s token is sent to this machine’s server only', async () => {
  const data = await started('odette', process.pid);
  const environment = { ODETTE_DATA_DIR: data };
  const other = findServer({ ...environment, ODETTE_URL: 'https://elsewhere.example.com' });
  await expect(other).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/^No token/) });
  expect((await findServer({ ...environment, ODETTE_URL: 'http://127.0.0.1:4780' })).token).toBe(
    'token of odette',
  );
});

test('one that does not run any more is named, and ends with code 3', async () => {
  const data = await started('odette', GONE_PID);
  await expect(findServer({ ODETTE_DATA_DIR: data })).rejects.toMatchObject({
    exitCode: 3,
    message: `No running Odette uses the data folder ${data} (ODETTE_DATA_DIR).`,
  });
});

test('a folder that is named and in which nothing runs is never answered for by another server', async () => {
  const none = path.join(folder, 'none');
  // One that ran before: its token is there, its address is not.
  await writeFile(path.join(folder, 'cli-token'), 'token of an earlier run\n');
  for (const data of [none, folder]) {
    const asked = findServer({ ODETTE_DATA_DIR: data });
    await expect(asked).rejects.toMatchObject({
      exitCode: 3,
      message: `No running Odette uses the data folder ${data} (ODETTE_DATA_DIR).`,
      remedy: expect.stringMatching(/odette up --no-sandbox/),
    });
  }
});

test('an API process without a launcher is found by its data folder and listener', async () => {
  await writeFile(path.join(folder, 'cli-token'), 'token of the container\n');
  const environment = { ODETTE_DATA_DIR: folder, ODETTE_ADMIN_LISTEN: '0.0.0.0:4999' };
  expect(await findServer(environment)).toEqual({
    url: 'http://127.0.0.1:4999',
    token: 'token of the container',
  });
});

test('what is no URL is refused', async () => {
  await expect(findServer({ ODETTE_URL: 'file:///etc', ODETTE_TOKEN: 'x' })).rejects.toMatchObject({
    exitCode: 2,
  });
});

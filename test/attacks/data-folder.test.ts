// Another user of the machine prepares what Odette opens at its start: the data folder, the key file.
import { chmod, chown, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { openDataFolder } from '../../workers/data-folder.ts';
import { isRoot, STRANGER } from './other-users.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-prepared-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a data folder that others may write to is refused', async () => {
  const data = path.join(folder, 'data');
  await mkdir(data);
  await chmod(data, 0o777);
  await expect(openDataFolder(data, { isSandbox: false })).rejects.toThrow('other users can write to it');
  await chmod(data, 0o711);
  await (await openDataFolder(data, { isSandbox: false })).release();
});

if (!isRoot()) console.log('skipped: files of another user can be made only as root');
test.runIf(isRoot())(
  'a data folder and a key file of another user are refused, also through a link',
  async () => {
    const data = path.join(folder, 'data');
    await mkdir(data, { mode: 0o711 });
    await chown(data, STRANGER, STRANGER);
    await expect(openDataFolder(data, { isSandbox: false })).rejects.toThrow('belongs to another user');

    const key = path.join(folder, 'odette.key');
    await KeyRing.open(key, { create: true });
    await chown(key, STRANGER, STRANGER);
    await symlink(key, path.join(folder, 'link.key'));
    for (const file of [key, path.join(folder, 'link.key')])
      await expect(KeyRing.open(file, { create: false })).rejects.toMatchObject({
        code: 'secrets.key_file_exposed',
      });
  },
);

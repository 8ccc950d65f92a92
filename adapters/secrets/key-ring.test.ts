// What the key ring seals opens under the same key and context, and under nothing else.
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyRing } from './key-ring.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = () => path.join(folder, 'deep', 'odette.key');
const plain = Buffer.from('the challenge password');

test('what one start sealed opens after the next start', async () => {
  const sealed = (await KeyRing.open(file(), { create: true })).seal(plain, 'secret:1');
  const later = await KeyRing.open(file(), { create: false });
  expect(later.open(sealed, 'secret:1')).toEqual(plain);
  expect(sealed.includes(plain)).toBe(false);
});

test('the file is readable by its owner alone, and refused otherwise', async () => {
  await KeyRing.open(file(), { create: true });
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  await chmod(file(), 0o644);
  await expect(KeyRing.open(file(), { create: false })).rejects.toMatchObject({
    code: 'secrets.key_file_exposed',
  });
});

test('a missing file is made only when that is asked for', async () => {
  await expect(KeyRing.open(file(), { create: false })).rejects.toMatchObject({
    code: 'secrets.key_missing',
  });
});

test('of several processes that start at once all use the same key', async () => {
  const rings = await Promise.all(Array.from({ length: 8 }, () => KeyRing.open(file(), { create: true })));
  expect(new Set(rings.map((ring) => ring.currentKeyId)).size).toBe(1);
});

test('another context, a changed byte, a cut end and an unknown key are refused', async () => {
  const ring = await KeyRing.open(file(), { create: true });
  const sealed = ring.seal(plain, 'secret:1');
  expect(() => ring.open(sealed, 'secret:2')).toThrow(/secrets.tampered/);
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => ring.open(changed, 'secret:1')).toThrow(/secrets\.(tampered|key_missing)/);
  }
  expect(() => ring.open(sealed.subarray(0, 20), 'secret:1')).toThrow(/secrets.tampered/);
  const other = await KeyRing.open(path.join(folder, 'other.key'), { create: true });
  expect(() => other.open(sealed, 'secret:1')).toThrow(/secrets.key_missing/);
});

test('a key that is current no more still opens what it sealed', async () => {
  const sealed = (await KeyRing.open(file(), { create: true })).seal(plain, 'secret:1');
  const kept = JSON.parse(await readFile(file(), 'utf8')) as { keys: Record<string, string> };
  const keys = { ...kept.keys, newer: Buffer.alloc(32, 7).toString('base64') };
  await writeFile(file(), JSON.stringify({ current: 'newer', keys }), { mode: 0o600 });
  const ring = await KeyRing.open(file(), { create: false });
  expect(ring.open(sealed, 'secret:1')).toEqual(plain);
  expect(ring.currentKeyId).toBe('newer');
});

test('a broken file is refused without quoting it', async () => {
  await KeyRing.open(file(), { create: true });
  await writeFile(file(), '{"current": "top-secret');
  const refused = await KeyRing.open(file(), { create: false }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'secrets.key_file_unreadable' });
  expect(String(refused)).not.toContain('top-secret');
});

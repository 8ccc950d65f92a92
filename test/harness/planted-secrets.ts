// Every secret of a world: what the pretend tenants, Apple and the admin know, and what Odette itself holds to be a secret.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import type { PlantedSecret } from './secret-search.ts';
import type { World } from './world.ts';

/** `known`: what the test itself gave to Odette, by what it is. */
export async function allSecrets(
  world: World,
  database: Database,
  known: Readonly<Record<string, string>>,
): Promise<PlantedSecret[]> {
  const found = new Map<string, PlantedSecret>();
  const add = (name: string, value: string | Buffer): void => {
    const bytes = Buffer.from(value);
    const key = bytes.toString('base64');
    // What Odette keeps of the tenant's secrets is the same: it goes by the tenant's name.
    if (bytes.length >= 10 && !found.has(key)) found.set(key, { name, bytes });
  };
  for (const [name, value] of Object.entries(known)) add(name, value);
  add('token of the command line', await world.token());
  for (const tenant of ['one', 'two'])
    for (const state of await jsonFilesIn(path.join(world.folder, 'sandbox', `tenant-${tenant}`)))
      for (const [at, value] of stringsIn(state))
        if (/secrets\.\d+\.value$|\.password$|\.secretKey$/.test(at)) add(`${tenant} ${at}`, value);
        else if (/^accessTokens\./.test(at)) add(`${tenant} access token`, value);
        else if (/^challenges\./.test(at)) add(`${tenant} challenge`, at.split('.')[1] ?? '');
  for (const device of (await jsonFilesIn(path.join(world.folder, 'sandbox', 'devices'))) as KeptDevice[])
    for (const { identifier, content } of device.profiles)
      if (identifier === ENROLLMENT) add('identity challenge', challengeIn(content));
  const licenses = await readFile(path.join(world.folder, 'sandbox', 'sandbox.vpptoken'), 'utf8');
  add('license token', licenses.trim());
  add(
    'inner license token',
    (JSON.parse(Buffer.from(licenses, 'base64').toString()) as { token: string }).token,
  );
  const ring = await KeyRing.open(path.join(world.folder, 'odette', 'odette.key'), { create: false });
  add('key of the key ring', ring.keyFor(ring.currentKeyId));
  // Whatever Odette itself holds to be a secret, keys that it made included.
  for (const { id, kind, sealed } of await database.query<{ id: string; kind: string; sealed: Buffer }>(
    'select id, kind, sealed from secrets',
  )) {
    const value = Buffer.from(ring.open(sealed, `secret:${id}`));
    add(kind, value);
    for (const key of keysIn(value)) add(`${kind}: private number`, privateNumber(key));
  }
  return [...found.values()];
}

interface KeptDevice {
  readonly profiles: readonly { readonly identifier: string; readonly content: string }[];
}
const ENROLLMENT = 'odette.enrollment';

/** The one-time challenge with which a device got its identity from Odette's own authority. */
function challengeIn(profile: string): string {
  const text = Buffer.from(profile, 'base64').toString('utf8');
  return /<key>Challenge<\/key>\s*<string>([^<]+)<\/string>/.exec(text)?.[1] ?? '';
}

/** Keys in a secret: PEM, also inside JSON, or PKCS#8. */
function keysIn(value: Buffer): KeyObject[] {
  const text = value.toString('utf8').replaceAll('\\n', '\n');
  const pems = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g) ?? [];
  if (pems.length > 0) return pems.map((pem) => createPrivateKey(pem));
  try {
    return [createPrivateKey({ key: value, format: 'der', type: 'pkcs8' })];
  } catch {
    return [];
  }
}

const privateNumber = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');

async function jsonFilesIn(folder: string): Promise<unknown[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8')) as unknown),
  );
}

/** Every text in a JSON value with its place, and every key of an object without texts (`challenges`). */
function* stringsIn(value: unknown, at = ''): Generator<[string, string]> {
  if (typeof value === 'string') yield [at, value];
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      const place = at === '' ? key : `${at}.${key}`;
      if (at === 'challenges') yield [place, ''];
      yield* stringsIn(inner, place);
    }
}

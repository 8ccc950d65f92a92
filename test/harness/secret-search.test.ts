// The search for secrets finds what is hidden on purpose, however it is written down, and nothing where nothing is.
import { randomBytes } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SecretSearch } from './secret-search.ts';

const SECRET = 'Täst+secret/with&signs=4711';
const KEY = randomBytes(48);
const search = new SecretSearch([
  { name: 'password', bytes: Buffer.from(SECRET) },
  { name: 'key', bytes: KEY },
]);
const around = (middle: Buffer | string): Buffer =>
  Buffer.concat([randomBytes(5000), Buffer.from(middle), randomBytes(5000)]);
const secretsIn = (bytes: Buffer): string[] => [
  ...new Set(search.look('here', bytes).map(({ secret }) => secret)),
];

describe('a text', () => {
  test.each<[string, Buffer | string]>([
    ['plain', SECRET],
    ['URL-encoded', encodeURIComponent(SECRET)],
    [
      'URL-encoded in small letters',
      encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ['UTF-16LE', Buffer.from(SECRET, 'utf16le')],
    ['UTF-16BE', Buffer.from(SECRET, 'utf16le').swap16()],
    ['hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64 at offset 1', Buffer.from(`x${SECRET}yy`).toString('base64')],
    ['base64 at offset 2', Buffer.from(`xx${SECRET}`).toString('base64')],
    ['base64url', Buffer.from(`x${SECRET}`).toString('base64url')],
    ['gzip', gzipSync(`x${SECRET}`)],
    ['zlib', deflateSync(`x${SECRET}`)],
    ['base64 in gzip in zlib', deflateSync(gzipSync(Buffer.from(SECRET).toString('base64')))],
  ])('is found as %s', (_form, bytes) => {
    expect(secretsIn(around(bytes))).toEqual(['password']);
  });

  test('is found in bytes that are a raw deflate stream', () => {
    expect(secretsIn(deflateRawSync(`a ${SECRET} z`))).toEqual(['password']);
  });
});

describe('a key', () => {
  test('is found in base64 that is broken into lines, as in PEM, property lists and JSON', () => {
    const base64 = Buffer.concat([randomBytes(40), KEY, randomBytes(40)]).toString('base64');
    for (const broken of [
      base64.replace(/.{16}/g, '$&\n\t'),
      JSON.stringify(base64.replace(/.{16}/g, '$&\r\n')),
    ])
      expect(secretsIn(around(broken))).toEqual(['key']);
  });
});

// The byte that differs lies inside: a missing one at an end can stand beside it by chance.
test('a secret of which one byte differs is not found', () => {
  const otherKey = Buffer.from(KEY);
  otherKey.writeUInt8(otherKey.readUInt8(24) ^ 1, 24);
  expect(search.look('here', around(SECRET.replace('w', 'v')))).toEqual([]);
  expect(search.look('here', around(gzipSync(otherKey)))).toEqual([]);
});

test('a find says which secret, in which form, where', () => {
  expect(search.look('the log', Buffer.from(`a ${SECRET} z`))).toEqual([
    { secret: 'password', form: 'plain', place: 'the log' },
  ]);
});

test('a secret too short to be told from chance is refused', () => {
  expect(() => new SecretSearch([{ name: 'pin', bytes: Buffer.from('1234') }])).toThrow(/pin/);
});

// The payload codec hides everything, opens with an old key, and refuses what was changed or comes from elsewhere.
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { createPayloadCodec } from './codec.ts';

const keys = new Map([
  ['old', randomBytes(32)],
  ['new', randomBytes(32)],
]);
const ring = new KeyRing('new', keys);
const codec = createPayloadCodec(ring, 'default');
const plain = defaultPayloadConverter.toPayload({ planted: 'a-word-to-look-for' });

test('neither content nor its kind can be read from an encoded payload, and decoding gives it back', async () => {
  const [encoded] = await codec.encode([plain]);
  const everything = Buffer.concat(
    [encoded?.data ?? [], ...Object.values(encoded?.metadata ?? {})].map((part) => Buffer.from(part)),
  );
  expect(everything.includes('a-word-to-look-for')).toBe(false);
  expect(everything.includes('json/plain')).toBe(false);
  const [decoded] = await codec.decode([encoded ?? {}]);
  expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toEqual({ planted: 'a-word-to-look-for' });
});

test('two encodings of one payload differ', async () => {
  const [one, two] = await codec.encode([plain, plain]);
  expect(Buffer.from(one?.data ?? [])).not.toEqual(Buffer.from(two?.data ?? []));
});

test('what was encoded under an old key opens while the ring holds it, and not after', async () => {
  const encoded = await createPayloadCodec(new KeyRing('old', keys), 'default').encode([plain]);
  const [decoded] = await codec.decode(encoded);
  expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toEqual({ planted: 'a-word-to-look-for' });
  const without = createPayloadCodec(new KeyRing('new', new Map([...keys].slice(1))), 'default');
  await expect(without.decode(encoded)).rejects.toMatchObject({ code: 'secrets.key_missing' });
});

test('a changed byte, another namespace and another key id are refused', async () => {
  const [encoded] = await codec.encode([plain]);
  const data = Buffer.from(encoded?.data ?? []);
  data.writeUInt8(data.readUInt8(20) ^ 1, 20);
  const tampered = { code: 'secrets.tampered' };
  await expect(codec.decode([{ ...encoded, data }])).rejects.toMatchObject(tampered);
  await expect(createPayloadCodec(ring, 'other').decode([encoded ?? {}])).rejects.toMatchObject(tampered);
  const metadata = { ...encoded?.metadata, 'encryption-key-id': Buffer.from('old') };
  await expect(codec.decode([{ ...encoded, metadata }])).rejects.toMatchObject(tampered);
  await expect(codec.decode([{ ...encoded, data: Buffer.alloc(5) }])).rejects.toMatchObject(tampered);
});

test('a payload that nobody encoded passes unchanged', async () => {
  expect(await codec.decode([plain])).toEqual([plain]);
});

// The payload codec hides everything, opens with an old key, and takes nothing that was changed or comes from elsewhere.
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { expect, test } from 'vitest';
import { KeyRing } from '../adapters/secrets/key-ring.ts';
import { createMessageSealer, createPayloadCodec, createPayloadReader } from './codec.ts';

const keys = new Map([
  ['old', randomBytes(32)],
  ['new', randomBytes(32)],
]);
const ring = new KeyRing('new', keys);
const codec = createPayloadCodec(ring, 'default');
const message = { planted: 'a-word-to-look-for' };
const plain = defaultPayloadConverter.toPayload(message);
const workflow = (workflowId: string): SerializationContext => ({
  type: 'workflow',
  namespace: 'default',
  workflowId,
});
const activity = (activityId: string): SerializationContext => ({
  type: 'activity',
  namespace: 'default',
  workflowId: 'rollout/1',
  activityId,
  isLocal: false,
});

const one = async (payloads: Promise<Payload[]>): Promise<Payload> => (await payloads)[0] ?? {};
const sealed = (context?: SerializationContext, by = codec) => one(by.encode([plain], context));
const opened = async (payload: Payload, context?: SerializationContext, by = codec): Promise<unknown> =>
  defaultPayloadConverter.fromPayload(await one(by.decode([payload], context)));

test('neither content nor its kind can be read from an encoded payload, and decoding gives it back', async () => {
  const encoded = await sealed(workflow('rollout/1'));
  const everything = Buffer.concat(
    [encoded.data ?? [], ...Object.values(encoded.metadata ?? {})].map((part) => Buffer.from(part)),
  );
  expect(everything.includes('a-word-to-look-for')).toBe(false);
  expect(everything.includes('json/plain')).toBe(false);
  expect(await opened(encoded, workflow('rollout/1'))).toEqual(message);
});

test('two encodings of one payload differ', async () => {
  const [first, second] = await codec.encode([plain, plain], workflow('rollout/1'));
  expect(Buffer.from(first?.data ?? [])).not.toEqual(Buffer.from(second?.data ?? []));
});

test('what was encoded under an old key opens while the ring holds it, and not after', async () => {
  const encoded = await sealed(undefined, createPayloadCodec(new KeyRing('old', keys), 'default'));
  expect(await opened(encoded)).toEqual(message);
  const without = createPayloadCodec(new KeyRing('new', new Map([...keys].slice(1))), 'default');
  expect(await opened(encoded, undefined, without)).toBe('unauthenticated');
});

test('what was sealed for one workflow or activity opens in no other', async () => {
  const ofWorkflow = await sealed(workflow('rollout/1'));
  expect(await opened(ofWorkflow, workflow('rollout/2'))).toBe('unauthenticated');
  expect(await opened(ofWorkflow, activity('1'))).toBe('unauthenticated');
  expect(await opened(ofWorkflow)).toBe('unauthenticated');
  const ofActivity = await sealed(activity('1'));
  expect(await opened(ofActivity, activity('1'))).toEqual(message);
  expect(await opened(ofActivity, activity('2'))).toBe('unauthenticated');
  expect(await opened(ofActivity, workflow('rollout/1'))).toBe('unauthenticated');
});

test("a schedule's input opens in the workflows that it starts, and in none of another name", async () => {
  const encoded = await sealed(workflow('sweep/trust/1'));
  expect(await opened(encoded, workflow('sweep/trust/1-2026-11-29T06:00:00Z'))).toEqual(message);
  expect(await opened(encoded, workflow('sweep/trust/1-2'))).toBe('unauthenticated');
});

test('a changed byte, changed metadata, another namespace and half a payload are not taken, and throw nothing', async () => {
  const encoded = await sealed(workflow('rollout/1'));
  const data = Buffer.from(encoded.data ?? []);
  data.writeUInt8(data.readUInt8(20) ^ 1, 20);
  const renamed = (name: string, value: string) => ({
    ...encoded,
    metadata: { ...encoded.metadata, [name]: Buffer.from(value) },
  });
  for (const changed of [
    { ...encoded, data },
    { ...encoded, data: Buffer.alloc(5) },
    { metadata: encoded.metadata ?? null },
    renamed('encryption-key-id', 'old'),
    renamed('encryption-key-id', 'nobody'),
    renamed('place', 'certificateNotNeeded'),
    renamed('activity-id', '1'),
    {},
  ])
    expect(await opened(changed, workflow('rollout/1'))).toBe('unauthenticated');
  expect(await opened(renamed('workflow-id', 'rollout/2'), workflow('rollout/2'))).toBe('unauthenticated');
  const elsewhere = createPayloadCodec(ring, 'other');
  expect(await opened(encoded, workflow('rollout/1'), elsewhere)).toBe('unauthenticated');
});

test('a payload that nobody sealed is not taken, whatever it says of itself', async () => {
  const claims = { ...plain, metadata: { ...plain.metadata, place: Buffer.from('renewNow') } };
  for (const each of [plain, claims]) expect(await opened(each)).toBe('unauthenticated');
});

test('people read a history wherever it came from; search attributes stay as they are', async () => {
  const read = createPayloadReader(ring, 'default');
  expect(defaultPayloadConverter.fromPayload(read(await sealed(activity('7'))))).toEqual(message);
  expect(defaultPayloadConverter.fromPayload(read(plain))).toBe('unauthenticated');
  const attribute = { ...plain, metadata: { ...plain.metadata, type: Buffer.from('Keyword') } };
  expect(read(attribute)).toBe(attribute);
});

test('a message sealed by hand opens in its workflow, also where it was sent as JSON text', async () => {
  const payload = createMessageSealer(ring, 'default')('certificate/1', 'renewNow', message);
  expect(await opened(payload, workflow('certificate/1'))).toEqual(message);
  expect(await opened(payload, workflow('certificate/2'))).toBe('unauthenticated');
  const written = {
    metadata: Object.fromEntries(
      Object.entries(payload.metadata ?? {}).map(([name, bytes]) => [
        name,
        Buffer.from(bytes).toString('base64'),
      ]),
    ),
    data: Buffer.from(payload.data ?? []).toString('base64'),
  };
  const asJson = defaultPayloadConverter.toPayload(written);
  const [decoded] = await codec.decode([asJson], workflow('certificate/1'));
  expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toEqual(message);
  expect(Buffer.from(decoded?.metadata?.['place'] ?? []).toString()).toBe('renewNow');
});

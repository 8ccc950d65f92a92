// The payload codec: everything that Odette puts into a workflow's history is sealed under the key ring, and nothing else counts.
// Temporal is no trusted bus (SECURITY.md): whoever reaches its ports may send anything, so a payload is bound to the workflow and the
// place it was made for, and the receiver compares both.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const CIPHER = 'aes-256-gcm';
const ENCODING = 'binary/encrypted';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What the codec needs of the key ring. */
export interface PayloadKeys {
  readonly currentKeyId: string;
  /** @throws CataloguedError `secrets.key_missing` */
  keyFor(id: string): Buffer;
}

const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.mjs', import.meta.url));
const PAYLOAD_CONVERTER = fileURLToPath(new URL('./payload-converter.mjs', import.meta.url));

/** For clients and workers; the workflows' bundle gets the same. */
export const CONVERTERS = {
  failureConverterPath: FAILURE_CONVERTER,
  payloadConverterPath: PAYLOAD_CONVERTER,
} as const;

/** For clients and workers alike. */
export const createDataConverter = (keys: PayloadKeys, namespace: string): DataConverter => ({
  payloadCodecs: [createPayloadCodec(keys, namespace)],
  ...CONVERTERS,
});

/**
 * Decoding never throws: what the ring did not seal, or sealed for another workflow or activity, becomes `unauthenticated`, which
 * no receiver takes (workflows/authenticated.ts).
 */
export function createPayloadCodec(keys: PayloadKeys, namespace: string): PayloadCodec {
  const seal = new PayloadSeal(keys, namespace);
  return {
    encode: (payloads, context) => Promise.resolve(payloads.map((each) => seal.seal(each, ownerOf(context)))),
    decode: (payloads, context) =>
      Promise.resolve(
        payloads.map((each) => {
          const opened = seal.open(each);
          return opened !== undefined && isOf(opened.owner, ownerOf(context))
            ? opened.payload
            : UNAUTHENTICATED;
        }),
      ),
  };
}

/** For people who read histories: wherever a payload came from, and never for a worker. */
export function createPayloadReader(keys: PayloadKeys, namespace: string): (payload: Payload) => Payload {
  const seal = new PayloadSeal(keys, namespace);
  // Search attributes are never sealed; the Temporal UI asks for them all the same.
  return (payload) => seal.open(payload)?.payload ?? (isSearchAttribute(payload) ? payload : UNAUTHENTICATED);
}

/** One JSON message that a person sends to a workflow by hand, sealed for it and for the message's name. */
export function createMessageSealer(
  keys: PayloadKeys,
  namespace: string,
): (workflowId: string, name: string, body: unknown) => Payload {
  const seal = new PayloadSeal(keys, namespace);
  return (workflowId, name, body) => {
    const metadata = { encoding: Buffer.from('json/plain'), place: Buffer.from(name) };
    return seal.seal({ metadata, data: Buffer.from(JSON.stringify(body)) }, { workflowId, activityId: '' });
  };
}

/** Whose payload it is. '' where there is none. */
interface Owner {
  readonly workflowId: string;
  readonly activityId: string;
}

const UNAUTHENTICATED: Payload = {
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from('"unauthenticated"'),
};

const ownerOf = (context: SerializationContext | undefined): Owner => ({
  workflowId: context?.workflowId ?? '',
  activityId: context?.type === 'activity' ? (context.activityId ?? '') : '',
});

/** A schedule's workflows have the time of their start behind the id that their input was sealed for. */
const STARTED_BY_SCHEDULE = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const isOf = (sealed: Owner, receiver: Owner): boolean =>
  sealed.activityId === receiver.activityId &&
  (sealed.workflowId === receiver.workflowId ||
    sealed.workflowId === receiver.workflowId.replace(STARTED_BY_SCHEDULE, ''));

const isSearchAttribute = ({ metadata }: Payload): boolean =>
  metadata?.['type'] !== undefined && textOf(metadata['encoding']) === 'json/plain';

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

/** Seals whole payloads: 12 bytes IV, ciphertext, 16 bytes tag. What the metadata says of it is sealed with it as additional data. */
class PayloadSeal {
  readonly #keys: PayloadKeys;
  readonly #namespace: string;
  readonly #derived = new Map<string, Buffer>();

  constructor(keys: PayloadKeys, namespace: string) {
    this.#keys = keys;
    this.#namespace = namespace;
  }

  seal(payload: Payload, { workflowId, activityId }: Owner): Payload {
    const keyId = this.#keys.currentKeyId;
    const place = textOf(payload.metadata?.['place']);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyFor(keyId), iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#additional(keyId, workflowId, activityId, place));
    const plain = PayloadMessage.encode(payload).finish();
    const named = {
      'encryption-key-id': keyId,
      'workflow-id': workflowId,
      ...(activityId !== '' && { 'activity-id': activityId }),
      ...(place !== '' && { place }),
    };
    return {
      metadata: {
        encoding: Buffer.from(ENCODING),
        ...Object.fromEntries(Object.entries(named).map(([name, text]) => [name, Buffer.from(text)])),
      },
      data: Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    };
  }

  /** undefined: it was not sealed by this ring for this namespace, or was changed since. */
  open(given: Payload): { readonly payload: Payload; readonly owner: Owner } | undefined {
    const sealed = writtenAsJson(given) ?? given;
    if (textOf(sealed.metadata?.['encoding']) !== ENCODING) return undefined;
    const [keyId = '', workflowId = '', activityId = '', place = ''] = [
      'encryption-key-id',
      'workflow-id',
      'activity-id',
      'place',
    ].map((name) => textOf(sealed.metadata?.[name]));
    const bytes = Buffer.from(sealed.data ?? []);
    const end = bytes.length - TAG_BYTES;
    if (end < IV_BYTES) return undefined;
    try {
      const key = this.#keyFor(keyId);
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(this.#additional(keyId, workflowId, activityId, place));
      decipher.setAuthTag(bytes.subarray(end));
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, end)), decipher.final()]);
      const { metadata, data } = PayloadMessage.decode(plain);
      return { payload: { metadata, data }, owner: { workflowId, activityId } };
    } catch {
      return undefined;
    }
  }

  /** A key of its own for this use, so that nothing sealed elsewhere under the ring can be passed off as a payload. */
  #keyFor(id: string): Buffer {
    const known = this.#derived.get(id);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', this.#keys.keyFor(id), '', 'odette temporal payload', 32));
    this.#derived.set(id, key);
    return key;
  }

  #additional(...parts: readonly string[]): Buffer {
    return Buffer.from(JSON.stringify([this.#namespace, ...parts]));
  }
}

const SEALED_JSON = /^\s*\{\s*"(metadata|data)"/;

/** `odette temporal seal` prints a payload as JSON; the Temporal UI and CLI send that text as a payload of its own. */
function writtenAsJson({ metadata, data }: Payload): Payload | undefined {
  if (textOf(metadata?.['encoding']) !== 'json/plain') return undefined;
  const text = textOf(data);
  if (!SEALED_JSON.test(text)) return undefined;
  try {
    return readPayload(JSON.parse(text) as JsonPayload);
  } catch {
    return undefined;
  }
}

/** As Temporal's JSON has payloads: bytes in base64. */
export interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  readonly data?: string | null | undefined;
}

const readPayload = ({ metadata, data }: JsonPayload): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  ),
  data: Buffer.from(data ?? '', 'base64'),
});

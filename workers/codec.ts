// The payload codec: everything that Odette puts into a workflow's history is encrypted under the key ring.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { CataloguedError } from '../domain/failures.ts';

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

export const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.mjs', import.meta.url));

/** For clients and workers alike; the workflow bundle gets the same failure converter. */
export const createDataConverter = (keys: PayloadKeys, namespace: string): DataConverter => ({
  payloadCodecs: [createPayloadCodec(keys, namespace)],
  failureConverterPath: FAILURE_CONVERTER,
});

/**
 * Encrypts whole payloads: 12 bytes IV, ciphertext, 16 bytes tag; the key's id stands in the metadata. Bound to namespace and key
 * id: a codec server learns no more of where a payload came from. Payloads of another encoding pass decode unchanged.
 * decode @throws CataloguedError `secrets.key_missing`, `secrets.tampered`
 */
export function createPayloadCodec(keys: PayloadKeys, namespace: string): PayloadCodec {
  const derived = new Map<string, Buffer>();
  // A key of its own for this use, so that nothing sealed elsewhere under the ring can be passed off as a payload.
  const keyFor = (id: string): Buffer => {
    const known = derived.get(id);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', keys.keyFor(id), '', 'odette temporal payload', 32));
    derived.set(id, key);
    return key;
  };
  const additional = (id: string) => Buffer.from(`${namespace}:${id}`);

  const encrypt = (payload: Payload): Payload => {
    const id = keys.currentKeyId;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, keyFor(id), iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(additional(id));
    const plain = PayloadMessage.encode(payload).finish();
    return {
      metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(id) },
      data: Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    };
  };

  const decrypt = (payload: Payload): Payload => {
    const { encoding, 'encryption-key-id': keyId } = payload.metadata ?? {};
    if (encoding === undefined || Buffer.from(encoding).toString() !== ENCODING) return payload;
    const id = Buffer.from(keyId ?? []).toString();
    const key = keyFor(id);
    const bytes = Buffer.from(payload.data ?? []);
    const end = bytes.length - TAG_BYTES;
    if (end < IV_BYTES) throw new CataloguedError('secrets.tampered');
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(additional(id));
    decipher.setAuthTag(bytes.subarray(end));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, end)), decipher.final()]);
      const { metadata, data } = PayloadMessage.decode(plain);
      return { metadata, data };
    } catch {
      throw new CataloguedError('secrets.tampered');
    }
  };

  return {
    encode: (payloads) => Promise.resolve(payloads.map(encrypt)),
    decode: async (payloads) => payloads.map(decrypt),
  };
}

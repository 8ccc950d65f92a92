// The codec of the recorded histories: the product's own, under a key that was made for the tests and is no secret.
import { createDataConverter, createPayloadReader } from '../../workers/codec.ts';

export const recordedKeys = { currentKeyId: 'recorded', keyFor: () => Buffer.alloc(32, 'odette test key ') };

/** Bound to this word instead of a namespace, which is another one at each recording. */
export const RECORDED = 'recorded';

export const recordedConverter = createDataConverter(recordedKeys, RECORDED);

export const readRecorded = createPayloadReader(recordedKeys, RECORDED);

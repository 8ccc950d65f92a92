// The codec of the recorded histories: the product's own, under a key that was made for the tests and is no secret.
import { createDataConverter } from '../../workers/codec.ts';

/** Bound to this word instead of a namespace, which is another one at each recording. */
export const recordedConverter = createDataConverter(
  { currentKeyId: 'recorded', keyFor: () => Buffer.alloc(32, 'odette test key ') },
  'recorded',
);

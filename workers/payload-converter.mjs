// JSON as the SDK makes it, and beside it the place that a value was made for (workflows/placed.ts), in the payload's metadata.
// JavaScript, because the SDK loads it with `require` in clients and workers, and webpack bundles it for workflows.
import { defaultPayloadConverter } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';

const PLACE = Symbol.for('odette.place');

export const payloadConverter = {
  toPayload(value) {
    const place = value?.[PLACE];
    if (place === undefined) return defaultPayloadConverter.toPayload(value);
    const payload = defaultPayloadConverter.toPayload(value.body);
    return { ...payload, metadata: { ...payload.metadata, place: encode(place) } };
  },
  fromPayload(payload) {
    const body = defaultPayloadConverter.fromPayload(payload);
    const place = payload.metadata?.place;
    return place === undefined || place === null ? body : { [PLACE]: decode(place), body };
  },
};

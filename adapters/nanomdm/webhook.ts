// NanoMDM's webhook (v0.9.0, service/webhook/event.json): what a device said, its bytes as they were, signed with a shared key.
// It is sent once, without order and without a second try, so it may be lost, doubled and late.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import { jsonOf } from '../../domain/json.ts';

/** base64 of HMAC-SHA256 over the body. */
export const SIGNATURE_HEADER = 'X-Hmac-Signature';

const Content = z.object({ raw_payload: z.base64() });
const Event = z.object({
  topic: z.string(),
  created_at: z.iso.datetime({ offset: true }),
  checkin_event: Content.optional(),
  acknowledge_event: Content.optional(),
});

export interface WebhookEvent {
  /** By the clock of the other server; microseconds are kept, for they tell apart what came within a millisecond. */
  readonly createdAt: string;
  /** The message as the device signed it. */
  readonly body: Buffer;
}

/** @param signature the header's value */
export function isSignedWith(key: string, body: Uint8Array, signature: string | undefined): boolean {
  const wanted = createHmac('sha256', key).update(body).digest();
  const given = Buffer.from(signature ?? '', 'base64');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** undefined: an event that carries no message of a device. @throws CataloguedError `request.invalid` */
export function readWebhook(body: Buffer): WebhookEvent | undefined {
  const read = Event.safeParse(jsonOf(body.toString('utf8')));
  if (!read.success) throw new CataloguedError('request.invalid');
  const { created_at: createdAt, checkin_event: checkIn, acknowledge_event: report } = read.data;
  const content = checkIn ?? report;
  return content && { createdAt, body: Buffer.from(content.raw_payload, 'base64') };
}

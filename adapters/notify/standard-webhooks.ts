// The signature of a webhook: Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md),
// which receivers verify with a library of their language.
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
/** The specification asks for 24 to 64. */
const KEY_BYTES = 32;

/** Base64 of random bytes behind `whsec_`. */
export const newSigningKey = (): string => PREFIX + randomBytes(KEY_BYTES).toString('base64');

/** @param id the same for each attempt, by which the receiver drops what comes twice */
export function signedHeaders(
  signingKey: string,
  { id, body, at }: { readonly id: string; readonly body: string; readonly at: Date },
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const key = Buffer.from(signingKey.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

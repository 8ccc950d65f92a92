// What Apple's refusals mean: our certificate (no push goes through), this device's token, or try again later
// (Apple, "Handling notification responses from APNs").
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { jsonObjectOf } from '../../domain/json.ts';

const CERTIFICATE = new Set([
  'BadCertificate',
  'BadCertificateEnvironment',
  'Forbidden',
  'ExpiredProviderToken',
  'InvalidProviderToken',
  'MissingProviderToken',
  'BadTopic',
  'MissingTopic',
  'TopicDisallowed',
]);
const TOKEN = new Set([
  'BadDeviceToken',
  'DeviceTokenNotForTopic',
  'Unregistered',
  'ExpiredToken',
  'MissingDeviceToken',
]);

/** What Apple sent back for one push. */
export interface ApnsResponse {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

export function refusal(response: ApnsResponse): CataloguedError {
  const reason = refusalReason(response.body);
  const seconds = Number(response.retryAfter);
  return new CataloguedError(refusalCode(response.status, reason), {
    facts: { status: response.status, reason },
    ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

function refusalCode(status: number, reason: string): FailureCode {
  if (CERTIFICATE.has(reason)) return 'apns.certificate_refused';
  if (TOKEN.has(reason) || status === 410) return 'apns.token_gone';
  if (status === 429) return 'apns.rate_limited';
  return status >= 500 ? 'apns.unreachable' : 'apns.unexpected_response';
}

function refusalReason(body: string): string {
  const reason = jsonObjectOf(body)?.['reason'];
  return typeof reason === 'string' && /^\w{1,64}$/.test(reason) ? reason : 'unknown';
}

// TLS alerts by which a server refuses a client certificate (RFC 8446 §6.2); with TLS 1.3 they arrive after the handshake.
const CERTIFICATE_ALERT =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;

/** A connection that failed: refused for our certificate's sake, or not there. */
export function connectionFailure(error: unknown): CataloguedError {
  if (error instanceof CataloguedError) return error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (CERTIFICATE_ALERT.test(`${code} ${cause.message.toUpperCase().replaceAll(' ', '_')}`))
      return new CataloguedError('apns.certificate_refused', { cause: error });
    if (cause instanceof CataloguedError) return cause;
  }
  return new CataloguedError('apns.unreachable', { cause: error });
}

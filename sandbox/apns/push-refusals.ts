// What Apple's push service refuses and how it says so: status and reason of "Handling notification responses from APNs".

export const PUSH_REFUSALS = {
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  ExpiredProviderToken: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredToken: 410,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const;

export type PushRefusal = keyof typeof PUSH_REFUSALS;

export const isPushRefusal = (text: string): text is PushRefusal => Object.hasOwn(PUSH_REFUSALS, text);

/** Apple's limit for a notification that is not VoIP, in bytes. */
const MAX_PAYLOAD_BYTES = 4096;

export interface PushRequest {
  readonly method: string;
  readonly path: string;
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

/** Who asks: nobody (no client certificate), somebody Apple does not know, or the owner of a topic. */
export type PushClient =
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'topic'; readonly topic: string };

/** Token of the request if it is a request at all, else why not. Says nothing about the token's device. */
export function readPush(
  request: PushRequest,
  client: PushClient,
): { token: string } | { refusal: PushRefusal } {
  if (request.method !== 'POST') return { refusal: 'MethodNotAllowed' };
  const token = /^\/3\/device\/([^/?]*)$/.exec(request.path)?.[1];
  if (token === undefined) return { refusal: 'BadPath' };
  if (client.kind === 'none') return { refusal: 'MissingProviderToken' };
  if (client.kind === 'unknown') return { refusal: 'BadCertificate' };
  if (request.body.length === 0) return { refusal: 'PayloadEmpty' };
  if (request.body.length > MAX_PAYLOAD_BYTES) return { refusal: 'PayloadTooLarge' };
  const topic = request.header('apns-topic');
  if (topic !== undefined && topic !== client.topic) return { refusal: 'BadTopic' };
  const type = request.header('apns-push-type');
  if (type !== undefined && type !== 'mdm') return { refusal: 'InvalidPushType' };
  const priority = request.header('apns-priority');
  if (priority !== undefined && !['1', '5', '10'].includes(priority)) return { refusal: 'BadPriority' };
  const expiration = request.header('apns-expiration');
  if (expiration !== undefined && !/^\d+$/.test(expiration)) return { refusal: 'BadExpirationDate' };
  if (!/^[0-9a-f]{64,200}$/i.test(token)) return { refusal: 'BadDeviceToken' };
  return { token: token.toLowerCase() };
}

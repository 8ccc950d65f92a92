// A notification over HTTPS: a signed webhook, or a message for Slack. What the receiver's answer means.
import { CataloguedError } from '../../domain/failures.ts';
import { slackTextOf, webhookBodyOf, type NotificationMessage } from '../../domain/notification-message.ts';
import { signedHeaders } from './standard-webhooks.ts';

/** The guarded HTTP client; workers/ joins it. */
export type Post = (request: {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}>;

/** What is sealed for a webhook: the URL may hold a password, too. */
export interface WebhookAccess {
  readonly url: string;
  readonly signingKey: string;
}

/** @throws CataloguedError `notify.refused`, `notify.gone`, or what `post` throws */
export async function deliverWebhook(
  post: Post,
  { url, signingKey }: WebhookAccess,
  id: string,
  message: NotificationMessage,
): Promise<void> {
  const body = JSON.stringify(webhookBodyOf(message));
  const headers = signedHeaders(signingKey, { id, body, at: new Date() });
  await send(post, url, headers, body);
}

/** Slack, and whatever takes its incoming webhooks (Mattermost, Rocket.Chat). @throws as `deliverWebhook` */
export const deliverToSlack = (post: Post, url: string, message: NotificationMessage): Promise<void> =>
  send(post, url, {}, JSON.stringify({ text: slackTextOf(message), unfurl_links: false }));

async function send(
  post: Post,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<void> {
  const response = await post({
    url: new URL(url),
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const { status } = response;
  if (status >= 200 && status < 300) return;
  const retryAfterMs = secondsIn(response.headers['retry-after']);
  throw new CataloguedError(status === 410 ? 'notify.gone' : 'notify.refused', {
    facts: { status, answer: excerptOf(response.body, url) },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** One line that people can read, as `invalid_payload`; without what an address keeps secret, should the receiver repeat it. */
function excerptOf(body: Buffer, url: string): string {
  const { pathname, search } = new URL(url);
  const line = body.toString('utf8').slice(0, 2_000).replace(/\s+/g, ' ').trim();
  return (pathname + search)
    .split(/[/?&=]/)
    .filter((part) => part.length >= 6)
    .reduce((text, part) => text.replaceAll(part, '…').replaceAll(decoded(part), '…'), line)
    .slice(0, 120);
}

/** `%zz` is no encoding, and stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** RFC 9110 10.2.3, in seconds; a date is not read. */
function secondsIn(header: string | string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : undefined;
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}

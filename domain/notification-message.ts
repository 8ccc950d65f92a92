// A notification as it is stored, and what it says as plain text, in Slack's markup, and as the body of a webhook.
import type { Change } from './notification-plan.ts';
import { plural } from './plural.ts';

export interface NotificationMessage {
  readonly type: 'needs_you.changed' | 'test';
  /** ISO 8601 */
  readonly at: string;
  readonly changes: readonly Change[];
  /** Of the console, without a slash at its end. */
  readonly consoleUrl: string;
}

/** More are counted only: nobody reads on, and receivers limit what they take. */
const MAX_LINES = 20;

const sentenceOf = ({ what, need }: Change): string => {
  const devices = need.devices === null ? '' : `${plural(need.devices, 'device')}: `;
  if (what === 'done') return `Resolved: ${need.text}`;
  return `${what === 'new' ? 'Needs you' : 'More devices need you'}: ${devices}${need.text}`;
};

export function subjectOf({ type, changes }: NotificationMessage): string {
  if (type === 'test') return 'Odette: test notification';
  const open = changes.filter(({ what }) => what !== 'done').length;
  if (open === 0) return `Odette: ${plural(changes.length, 'item is', 'items are')} resolved`;
  return `Odette: ${plural(open, 'item needs', 'items need')} you`;
}

const TEST = 'This is a test. Notifications from Odette arrive here.';

/** With a blank line between paragraphs. */
export function plainTextOf(message: NotificationMessage): string {
  const { type, changes, consoleUrl } = message;
  if (type === 'test') return `${TEST}\n\n${consoleUrl}/settings?tab=notifications\n`;
  return `${listed(changes, (change) => `${sentenceOf(change)}\n${consoleUrl}${change.need.path}`).join('\n\n')}\n`;
}

/** https://api.slack.com/reference/surfaces/formatting: what devices and people wrote stays text. */
export function slackTextOf(message: NotificationMessage): string {
  const { type, changes, consoleUrl } = message;
  const link = (path: string) => `<${consoleUrl}${path}|Open>`;
  if (type === 'test') return `${TEST} ${link('/settings?tab=notifications')}`;
  const lines = listed(changes, (change) => `• ${escaped(sentenceOf(change))} ${link(change.need.path)}`);
  return [`*${subjectOf(message)}*`, ...lines].join('\n');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function listed(changes: readonly Change[], line: (change: Change) => string): string[] {
  const rest = changes.length - MAX_LINES;
  return [...changes.slice(0, MAX_LINES).map(line), ...(rest > 0 ? [`And ${rest} more.`] : [])];
}

/** The payload of a webhook: `type`, `timestamp` and `data`, as Standard Webhooks recommends. */
export const webhookBodyOf = ({ type, at, changes, consoleUrl }: NotificationMessage) => ({
  type,
  timestamp: at,
  data: {
    changes: changes.map(({ what, need: { key, text, devices, path } }) => ({
      what,
      key,
      text,
      devices,
      url: `${consoleUrl}${path}`,
    })),
  },
});

// A notification target as the API shows it, and what its kinds are called.
import type { ResponseOf } from '../queries.ts';

export type Target = ResponseOf<'listNotificationTargets'>['items'][number];

export const KIND_LABELS: Readonly<Record<Target['kind'], string>> = {
  webhook: 'Webhook',
  slack: 'Slack',
  email: 'Email',
};

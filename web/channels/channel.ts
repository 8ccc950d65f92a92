// A channel in the console's words: its state, and when it was last in contact.
import type { ResponseOf } from '../queries.ts';

export type Channel = ResponseOf<'listChannels'>['items'][number];

interface State {
  readonly label: string;
  readonly color: string;
  /** What it means, and what to do; undefined: nothing. */
  readonly text?: string;
}

export function stateOf({
  kind,
  problem,
  lastWebhookAt,
  webhookUrl,
  readAt,
  findings,
  devices,
}: Channel): State {
  if (problem !== null)
    return {
      label: 'Paused',
      color: 'red',
      text: `${problem.title} ${problem.remedy} Odette tries again within five minutes. Rollouts wait until then.`,
    };
  if (kind === 'nanomdm' && webhookUrl === null)
    return {
      label: 'No public URL',
      color: 'red',
      text: 'Set ODETTE_PUBLIC_URL to the https address where NanoMDM reaches Odette, and restart Odette.',
    };
  if (kind === 'nanomdm' && lastWebhookAt === null)
    return {
      label: 'No webhook yet',
      color: 'orange',
      text: 'Start NanoMDM with -webhook-url and -webhook-hmac-key. The first webhook comes when a device checks in.',
    };
  if (kind === 'fleet' && readAt === null) return { label: 'Reading devices', color: 'yellow' };
  if (findings.length > 0) return { label: 'Needs you', color: 'orange' };
  if (devices === 0)
    return { label: 'No device yet', color: 'yellow', text: 'Adopt devices that are enrolled there.' };
  return { label: 'Connected', color: 'green' };
}

/** UDIDs and serial numbers as people paste them. */
export const identifiersIn = (text: string): string[] => [
  ...new Set(text.split(/[\s,;]+/).filter((word) => word !== '')),
];

// Labels for the words of the API, and how dates and counts are written.
import type { ResponseOf } from './client.ts';

type Device = ResponseOf<'getDevice'>;
export type Bucket = Device['bucket'];
export type Truth = keyof Device['truths'];
export type Family = Device['family'];
export type Role = ResponseOf<'getSession'>['role'];

export const BUCKET_LABELS: Readonly<Record<Bucket, { label: string; color: string; meaning: string }>> = {
  trusted: { label: 'Trusted', color: 'green', meaning: 'Managed in Okta' },
  in_progress: { label: 'In progress', color: 'yellow', meaning: 'No action needed' },
  needs_user: { label: 'Needs its user', color: 'blue', meaning: 'User: action required' },
  needs_you: { label: 'Needs you', color: 'red', meaning: 'Action required' },
  unreachable: {
    label: 'Unreachable',
    color: 'orange',
    meaning: 'No push gets through, or no contact for 14 days',
  },
  left: { label: 'Left', color: 'gray', meaning: 'The enrollment has ended' },
  out_of_scope: {
    label: 'Out of scope',
    color: 'gray',
    meaning: 'No library item with Okta Device Trust turned on',
  },
};
/** Of a trusted device that called lately: a list needs no words for it. */
export const NOTHING_PENDING = 'Nothing pending.';

type Step = Device['nextStep'];
export const STEP_OWNER_LABELS: Readonly<Record<Step['owner'], string>> = {
  nobody: 'No action needed',
  user: 'User: action required',
  you: 'Action required',
};
export const STEP_ACTION_LABELS: Readonly<Record<NonNullable<Step['action']>, string>> = {
  replay: 'Replay',
  check_device: 'Check device',
  ask_okta: 'Ask Okta now',
  decide_return: 'Allow or refuse enrollment…',
  set_user: 'Set the user',
  open_okta: 'Open in Okta',
  enroll_again: 'Create enrollment code',
  get_licenses: 'Open licenses',
  choose_blueprint: 'Choose a blueprint',
};

export const SHOWN_BUCKETS = ['trusted', 'in_progress', 'needs_user', 'needs_you', 'unreachable'] as const;

export const TRUTH_LABELS: Readonly<Record<Truth, string>> = {
  delivered: 'Profiles delivered',
  certificatePresent: 'Certificate present',
  oktaVerifyManaged: 'Okta Verify installed and managed',
  registered: 'Registered in Okta',
  managed: 'Managed in Okta',
};

export type Phase = Device['phase'];
export const PHASE_LABELS: Readonly<Record<Phase, string>> = {
  waiting: 'Starting',
  not_enrolled: 'Not enrolled',
  asking_device: 'Asking the device',
  certificate: 'Certificate',
  profiles: 'Profiles',
  waiting_for_license: 'Waiting for a license',
  app: 'Okta Verify',
  app_configuration: 'App configuration',
  delivered: 'Delivered',
  waits_for_user: 'Waiting for the user',
  removal_delay: 'Removal scheduled',
  removing: 'Removing',
  out_of_scope: 'Out of scope',
  failed: 'Failed',
};

export const PLATFORM_LABELS = { macOS: 'macOS', iOS: 'iOS and iPadOS' } as const;

export const CONNECTION_LABELS = {
  okta: 'Okta API',
  challenge: 'Challenge URL',
  scep: 'SCEP URL',
  apps_and_books: 'Apps and Books',
} as const;

export const OWNER_LABELS = {
  nobody: 'No action needed',
  admin: 'Admin: action required',
  operator: 'Operator: action required',
  user: 'User: action required',
} as const;

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const shortFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const numberFormat = new Intl.NumberFormat();

export const dayText = (at: string | Date): string => dayFormat.format(new Date(at));
/** "Nov 3 – Dec 3, 2027" */
export const daysText = (from: string, to: string): string =>
  dayFormat.formatRange(new Date(from), new Date(to));
export const momentText = (at: string | Date): string => shortFormat.format(new Date(at));
export const exactText = (at: string | Date): string => exactFormat.format(new Date(at));
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "3 h ago", "in 2 days"; more than a week away, the date. */
export function relativeText(at: string | Date, nowMs: number): string {
  const ms = new Date(at).getTime() - nowMs;
  const away = Math.abs(ms);
  if (away >= 7 * DAY_MS) return dayText(at);
  if (away < MINUTE_MS) return ms > 0 ? 'in a moment' : 'just now';
  const [unit, name] = (
    [
      [DAY_MS, 'day'],
      [HOUR_MS, 'h'],
      [MINUTE_MS, 'min'],
    ] as const
  ).find(([size]) => away >= size) ?? [MINUTE_MS, 'min'];
  const count = Math.floor(away / unit);
  const text = `${count} ${name === 'day' && count !== 1 ? 'days' : name}`;
  return ms > 0 ? `in ${text}` : `${text} ago`;
}

export const countText = (count: number): string => numberFormat.format(count);

export { plural } from '../domain/plural.ts';

/** How long between two moments: "4 s", "3 min", "2 h 5 min", "12 days". */
export function durationText(fromMs: number, toMs: number): string {
  const seconds = Math.max(0, Math.round((toMs - fromMs) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** How long a run took; – while it runs. */
export const tookText = (run: { readonly startedAt: string; readonly closedAt: string | null }): string =>
  run.closedAt === null ? '–' : durationText(Date.parse(run.startedAt), Date.parse(run.closedAt));

/** person:NAME and token:NAME are shown as NAME. */
export const nameOfActor = (actor: string): string => actor.replace(/^(person|token):/, '');

export const deviceTitle = (device: {
  name: string | null;
  serialNumber: string | null;
  id: string;
}): string => device.name ?? device.serialNumber ?? `Device ${device.id.slice(0, 8)}`;

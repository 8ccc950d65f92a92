// docs/costs.md: what a device costs in a month on Temporal Cloud, counted from the recorded histories (test/histories), and what Odette keeps.
// What counts as an action: https://docs.temporal.io/evaluate/cloud/actions (2026-11).
import { readFileSync } from 'node:fs';
import { DEFAULT_INTEGRATION_SETTINGS as EVERY } from '../domain/integration-settings.ts';
import { MAX_LISTED_EACH_TIME } from '../domain/okta-sync.ts';
import { MAX_HISTORY_LENGTH } from '../domain/renewal-policy.ts';
import { KEPT_DAYS } from '../domain/retention.ts';

interface RecordedEvent {
  readonly eventType: string;
  readonly markerRecordedEventAttributes?: { readonly workflowTaskCompletedEventId: string };
  readonly activityTaskStartedEventAttributes?: { readonly attempt?: number };
  readonly workflowTaskFailedEventAttributes?: { readonly cause?: string };
}

/** One each. A start that brings its first signal is one together with it. */
const BILLED = [
  'WORKFLOW_EXECUTION_SIGNALED',
  'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
  'ACTIVITY_TASK_SCHEDULED',
  'TIMER_STARTED',
  'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
];

/** Actions that Temporal Cloud would bill for a history; those of its schedule are not in it. */
export function actionsOf(events: readonly RecordedEvent[]): number {
  const types = events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));
  const billed = types.filter((type) => BILLED.includes(type)).length;
  const start = types[1] === 'WORKFLOW_EXECUTION_SIGNALED' ? 0 : 1;
  // All local activities of one workflow task are one.
  const tasks = new Set(
    events.flatMap(({ markerRecordedEventAttributes: marker }) => marker?.workflowTaskCompletedEventId ?? []),
  );
  const retries = events.reduce(
    (sum, { activityTaskStartedEventAttributes: started }) => sum + Math.max(0, (started?.attempt ?? 1) - 1),
    0,
  );
  const resets = events.filter(
    ({ workflowTaskFailedEventAttributes: failed }) =>
      failed?.cause === 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW',
  ).length;
  return start + billed + tasks.size + retries + resets;
}

const HISTORIES = [
  ['rollout-mac', 'Rollout of a Mac'],
  ['certificate-first', 'Its first certificate, until the workflow sleeps'],
  ['certificate-continued', 'The same with a renewal'],
  ['okta-trust-poll', 'Looked up in Okta after it, once, with all that were delivered in the same second'],
  ['rollout-iphone', 'Rollout of an iPhone'],
  ['rollout-not-now', 'Rollout of a Mac that said NotNow twice'],
  ['removal-mac', 'Removal from a Mac'],
  ['observe-trust', 'Trust sweep, one page'],
  ['enforce-desired-state', 'Sweep of checks that are due, one page'],
  ['watch-expiry', 'Expiry watch, one page'],
  ['check-integration', 'Daily check of an integration'],
] as const;
type Recorded = (typeof HISTORIES)[number][0];

function readHistory(name: Recorded): readonly RecordedEvent[] {
  const file = new URL(`../test/histories/1-${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { events: readonly RecordedEvent[] }).events;
}

/** A schedule bills two for each start. */
const SCHEDULED = 2;
const MINUTES_A_MONTH = 30 * 24 * 60;
const PAGE = 200;
const DOLLARS_FOR_A_MILLION = 50;
/** Certificates of Okta's authority last a year; half of the window is where the average renewal falls. */
const CERTIFICATE_MONTHS = 12 * (1 - (EVERY.renewalWindowStart + EVERY.renewalWindowEnd) / 2);

interface Month {
  readonly sweeps: number;
  readonly renewals: number;
}

/** Actions of a month of one integration with so many Macs, of which nothing but certificates changes. */
function monthOf(devices: number, actions: (name: Recorded) => number): Month {
  const pages = Math.ceil(devices / PAGE);
  // Beyond it only what changed is listed, and everything once a day.
  const trustRuns = MINUTES_A_MONTH / EVERY.trustSweepMinutes;
  const trustPages = devices <= MAX_LISTED_EACH_TIME ? trustRuns * pages : trustRuns + 30 * pages;
  const checkRuns = MINUTES_A_MONTH / EVERY.enforcementSweepMinutes;
  const expiryRuns = MINUTES_A_MONTH / EVERY.expirySweepMinutes;
  const runs = (name: Recorded, count: number, pagesInAll: number) =>
    count * (actions(name) + SCHEDULED) + Math.max(0, pagesInAll - count);
  return {
    sweeps:
      runs('observe-trust', trustRuns, trustPages) +
      runs('enforce-desired-state', checkRuns, Math.max(checkRuns, (30 * devices) / PAGE)) +
      runs('watch-expiry', expiryRuns, expiryRuns * pages) +
      runs('check-integration', 30, 30),
    renewals:
      (devices * (actions('certificate-continued') - actions('certificate-first'))) / CERTIFICATE_MONTHS,
  };
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const dollars = (value: number): string => value.toFixed(2);
const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function costsPage(): string {
  const histories = new Map(HISTORIES.map(([name]) => [name, readHistory(name)]));
  const actions = (name: Recorded): number => actionsOf(histories.get(name) ?? []);
  const months = [1_000, 10_000, 100_000].map((devices) => {
    const { sweeps, renewals } = monthOf(devices, actions);
    const cost = ((sweeps + renewals) / 1_000_000) * DOLLARS_FOR_A_MILLION;
    return row(
      number(devices),
      number(sweeps),
      number(renewals),
      ((sweeps + renewals) / devices).toFixed(1),
      dollars(cost),
      dollars((cost / devices) * 1_000),
    );
  });
  return `# Costs

<!-- Written by \`npx tsx scripts/write-costs.ts\` from the code and from test/histories; a test compares them. -->

Counted from the histories that the replay test holds (\`test/histories/\`): they are of this version.

## Temporal Cloud

With a server of your own nothing of this is billed. Temporal Cloud bills actions: starts, signals, updates, timers, activities and their retries, changes
of search attributes; all local activities of a workflow task are one; a schedule bills two beside each start
([what counts](https://docs.temporal.io/evaluate/cloud/actions)).

${row('history', 'actions', 'events')}
${row('---', '--:', '--:')}
${HISTORIES.map(([name, title]) => row(title, String(actions(name)), String(histories.get(name)?.length ?? 0))).join('\n')}

A Mac that is rolled out costs **${actions('rollout-mac') + actions('certificate-first') + actions('okta-trust-poll')} actions once**: rollout, certificate and one look at Okta. A daily check of a device that is as it should be starts no workflow and costs none.

A month of one integration in which nothing but certificates changes, with the usual intervals (trust sweep every ${EVERY.trustSweepMinutes} minutes, checks every ${EVERY.enforcementSweepMinutes}, expiry watch every ${EVERY.expirySweepMinutes}), pages of ${PAGE} devices, certificates of a year, and ${DOLLARS_FOR_A_MILLION} US dollars for a million actions (the list price of the first millions; it falls with volume, and a plan has a minimum of its own):

${row('Macs', 'actions of sweeps', 'actions of renewals', 'actions a device', 'dollars', 'dollars for 1,000 devices')}
${row('--:', '--:', '--:', '--:', '--:', '--:')}
${months.join('\n')}

A trust sweep every hour instead of every ${EVERY.trustSweepMinutes} minutes costs a quarter of its part. Priority and fairness are used: Temporal Cloud adds a tenth for fairness where it is switched on for the namespace.

Storage: a certificate's workflow sleeps until its renewal, and begins a new run past ${MAX_HISTORY_LENGTH} events. Closed workflows are kept as long as the namespace says; Odette needs 30 days at most, for commands outlive the histories that name them.

## PostgreSQL

Kept for a while, and pruned by the relay each hour, in days:

${row('what', 'days')}
${row('---', '--:')}
${(Object.keys(KEPT_DAYS) as (keyof typeof KEPT_DAYS)[])
  .map((name) => row(KEPT[name], String(KEPT_DAYS[name])))
  .join('\n')}

The audit trail is kept for good. A device keeps one row in each of \`devices\`, \`device_trust\`, \`fleet_list\` and \`reported_inventory\`, five truths, and one row for each certificate that it was given.

## Processor time, statements, write-ahead log

What a rollout, a sweep and a check cost is measured, and stands with its day and machine in [performance.md](performance.md).
`;
}

const KEPT: Readonly<Record<keyof typeof KEPT_DAYS, string>> = {
  outbox: 'messages that were told to Temporal',
  notifications: 'notifications',
  commands: 'commands that ended, daily checks among them',
  unparsedResponses: 'responses that could not be read',
  events: 'live events of the console',
  idempotencyKeys: 'repeated requests of the API',
  timeline: "a device's timeline",
  runs: 'rollouts',
  falls: 'devices that Okta stopped counting as managed',
  fleetRollouts: 'changes of a fleet',
};

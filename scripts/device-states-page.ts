// docs/device-states.md: the situations of a device, and what list, page, command line and Temporal UI say of each. Each column is read
// from the code that says it there.
import { STEP_COMMANDS } from '../cli/step-commands.ts';
import { OTHER_CHANNEL_KINDS } from '../domain/device-channel.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { nextStepOf, type StepFacts } from '../domain/next-step.ts';
import type { RolloutPhase } from '../domain/rollout-action.ts';
import { bucketOfFailure, OBSTACLES, type Obstacle, type TrustBucket } from '../domain/trust-bucket.ts';
import { notNowText, obstacleText, signInText, waitsForText } from '../domain/trust-text.ts';
import { BUCKET_LABELS, STEP_ACTION_LABELS, STEP_OWNER_LABELS } from '../web/labels.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const DAY_MS = 86_400_000;

interface Situation {
  readonly name: string;
  readonly facts: Partial<StepFacts> & { readonly bucket: TrustBucket };
  /** The bold word of the Temporal UI; null: no rollout runs. */
  readonly phase: RolloutPhase | 'waits' | null;
}

const BUILT_IN_MAC = { family: 'Mac', channelKind: 'built_in' } as const;

const WAITS = [
  ['not_enrolled', 'Not enrolled', 'needs_user'],
  ['asking_device', 'Asked what it has', 'in_progress'],
  ['certificate', 'Gets its certificate', 'in_progress'],
  ['profiles', 'Installs profiles', 'in_progress'],
  ['waiting_for_license', 'Waits for a license', 'in_progress'],
  ['app', 'Installs Okta Verify', 'in_progress'],
  ['app_configuration', 'Applies the app configuration', 'in_progress'],
  ['waits_for_user', 'User declined Okta Verify', 'needs_user'],
  ['removal_delay', 'Removal can be undone', 'in_progress'],
  ['removing', 'Removal', 'in_progress'],
] as const satisfies readonly (readonly [RolloutPhase, string, TrustBucket])[];

const BUCKET_OF: Readonly<Record<Obstacle, TrustBucket>> = {
  asks_to_return: 'needs_you',
  push_token_gone: 'unreachable',
  no_push_token: 'unreachable',
  other_topic: 'unreachable',
  silent: 'unreachable',
  left: 'left',
  not_supported: 'out_of_scope',
  no_license: 'needs_you',
  no_user_channel: 'needs_user',
  app_missing: 'needs_you',
  user_unknown: 'needs_you',
  records_alike: 'needs_you',
  suspended: 'needs_you',
  deactivated: 'needs_you',
  managed_for_other: 'needs_you',
};

/** Areas of the catalogue whose failures a device, or what Odette asks on its behalf, can end a rollout with. */
const AREAS_OF_ROLLOUTS = [
  'mdm',
  'okta',
  'scep',
  'certificate',
  'apps_and_books',
  'channel',
  'secrets',
  'server',
  'store',
  'rollout',
];
/** Of these areas, what only the setup, an upload, a message from outside or a look at the whole installation meets. */
const OF_THE_INSTALLATION: readonly FailureCode[] = [
  'okta.not_okta',
  'okta.classic_engine',
  'okta.not_synced',
  'okta.custom_domain_changed',
  'okta.authority_changed',
  'okta.many_lost_trust',
  'certificate.gone_from_many',
  'channel.webhook_refused',
  'certificate.unreadable',
  'apps_and_books.token_invalid',
  'mdm.identity_refused',
  'mdm.signature_refused',
  'scep.request_refused',
  'secrets.key_file_exposed',
  'secrets.key_file_unreadable',
];

/** Why a rollout can fail, as the catalogue has them. */
export const ENDS_OF_ROLLOUTS = (Object.keys(FAILURES) as FailureCode[]).filter(
  (code) => AREAS_OF_ROLLOUTS.includes(code.split('.')[0] ?? '') && !OF_THE_INSTALLATION.includes(code),
);

const SITUATIONS: readonly Situation[] = [
  { name: 'Trusted', facts: { bucket: 'trusted' }, phase: null },
  {
    name: 'Trusted, no contact for 5 days',
    facts: { bucket: 'trusted', lastContactAtMs: NOW - 5 * DAY_MS },
    phase: null,
  },
  ...WAITS.map(([phase, name, bucket]): Situation => ({
    name,
    phase,
    facts: {
      bucket,
      isEnrolled: phase !== 'not_enrolled',
      waitsFor: waitsForText(phase, BUILT_IN_MAC, { bucket, obstacle: null }, null),
    },
  })),
  {
    name: 'Locked or busy',
    phase: 'waits',
    facts: { bucket: 'in_progress', waitsFor: notNowText('Mac', new Date(NOW)) },
  },
  {
    name: 'Delivered, no sign-in yet',
    phase: null,
    facts: { bucket: 'needs_user', waitsFor: signInText },
  },
  ...OBSTACLES.map((obstacle): Situation => ({
    name: `\`${obstacle}\``,
    phase: null,
    facts: { bucket: BUCKET_OF[obstacle], obstacle, waitsFor: obstacleText(obstacle, 'Mac', 'built_in') },
  })),
  ...OTHER_CHANNEL_KINDS.flatMap((channelKind): Situation[] => [
    {
      name: `Not enrolled, on \`${channelKind}\``,
      phase: 'not_enrolled',
      facts: {
        bucket: 'needs_user',
        isEnrolled: false,
        channelKind,
        waitsFor: waitsForText(
          'not_enrolled',
          { family: 'Mac', channelKind },
          { bucket: 'needs_user', obstacle: null },
          null,
        ),
      },
    },
    {
      name: `\`left\`, on \`${channelKind}\``,
      phase: null,
      facts: {
        bucket: 'left',
        obstacle: 'left',
        channelKind,
        waitsFor: obstacleText('left', 'Mac', channelKind),
      },
    },
  ]),
  ...ENDS_OF_ROLLOUTS.map((code): Situation => ({
    name: `\`${code}\``,
    phase: 'failed',
    facts: { bucket: bucketOfFailure(code), failureCode: code },
  })),
  {
    name: 'Removal refused',
    phase: 'failed',
    facts: { bucket: 'out_of_scope', failureCode: 'mdm.profile_refused' },
  },
  { name: 'Out of scope', facts: { bucket: 'out_of_scope' }, phase: null },
];

const commandText = (command: string | undefined): string => (command === undefined ? '–' : `\`${command}\``);

const rowOf = ({ name, facts, phase }: Situation): string => {
  const { owner, text, action } = nextStepOf({
    obstacle: null,
    failureCode: null,
    waitsFor: null,
    isEnrolled: true,
    channelKind: 'built_in',
    lastContactAtMs: NOW - 3_600_000,
    nowMs: NOW,
    ...facts,
  });
  return `| ${[
    name,
    BUCKET_LABELS[facts.bucket].label,
    STEP_OWNER_LABELS[owner],
    text,
    action === null ? '–' : STEP_ACTION_LABELS[action],
    action === null ? '–' : commandText(STEP_COMMANDS[action]('SERIAL')),
    phase === null ? 'no rollout runs' : `**${phase}** and the same sentence`,
  ].join(' | ')} |`;
};

export const deviceStatesPage = (): string => `# What is said of a device

<!-- Written by \`npx tsx scripts/write-device-states.ts\` from the code; a test compares them. -->

One row for each situation. State, owner and sentence are the same in the list of devices, on the device's page, in \`odette device show\`, in the API
(\`nextStep\`) and in webhooks; the Temporal UI shows the sentence in the details of a rollout that runs or failed. Where a device gave its own words,
they follow the sentence.

| Situation | State | Who acts | Sentence | Button | Command | Temporal UI |
| --- | --- | --- | --- | --- | --- | --- |
${SITUATIONS.map(rowOf).join('\n')}
`;

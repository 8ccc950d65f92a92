// What somebody is to do next: the to-do list of the whole installation, and the ticks of a new one.
import type { z } from 'zod';
import type { Sql } from '../../adapters/store/base/database.ts';
import { listCauses, type CauseRow, type FleetTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import { listSetups } from '../../adapters/store/integration/setups.ts';
import { findProgress } from '../../adapters/store/fleet/onboarding.ts';
import { CHANNEL_ABILITIES, type ChannelKind } from '../../domain/device-channel.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { nextStepOfCause, ownerOfFailure, type StepOwner } from '../../domain/next-step.ts';
import { titleOf } from '../../domain/setup-guide.ts';
import type { instance } from '../contract/instance.ts';
import { codeOrNull } from './failure-view.ts';
import type { InstallationNeeds, Need } from './installation-needs.ts';
import type { alarmsOf } from './status.ts';

type Status = z.input<(typeof instance)['getStatus']['response']>;
type Step = Status['steps'][number];

const ORDER: readonly StepOwner[] = ['you', 'user', 'nobody'];

export async function stepsOf(
  sql: Sql,
  alarms: Awaited<ReturnType<typeof alarmsOf>>,
  buckets: FleetTotals['buckets'],
): Promise<Step[]> {
  const causes = await listCauses(sql);
  const setups = await listSetups(sql, 'open');
  const steps = [
    ...alarms.map(({ failure, text, since, about }) => ({
      ...NO_DEVICES,
      id: ['alarm', failure.code, ...(about === '' ? [] : [about])].join(':'),
      owner: ownerOfFailure(failure.code),
      text: `${text} ${failure.remedy}`,
      since,
      place: placeOf(failure.code),
    })),
    ...setups.map(({ id, state, startedAt }) => ({
      ...NO_DEVICES,
      id: `setup:${id}`,
      owner: 'you' as const,
      text: `A setup waits at “${titleOf(state.step, state)}”. Continue it.`,
      since: startedAt,
      place: 'setup' as const,
      setupId: id,
    })),
    ...causes.map(stepOfCause),
    ...signInStep(causes, buckets),
  ];
  return steps.sort((one, other) => ORDER.indexOf(one.owner) - ORDER.indexOf(other.owner));
}

const NO_DEVICES = { action: null, devices: null, filter: null, setupId: null };

const PLACES = [
  ['apns.', 'settings'],
  ['apps_and_books.', 'settings'],
  ['tls.', 'settings'],
  ['okta.', 'integrations'],
  ['setup.', 'integrations'],
  ['notify.', 'settings'],
] as const;

const placeOf = (code: FailureCode): Step['place'] =>
  PLACES.find(([start]) => code.startsWith(start))?.[1] ?? 'doctor';

function stepOfCause({ bucket, failureCode, obstacle, devices, since }: CauseRow): Step {
  const cause = obstacle === null ? { failureCode: failureCode ?? '' } : { obstacle };
  return {
    id: `devices:${bucket}:${obstacle ?? failureCode ?? ''}`,
    ...nextStepOfCause(bucket, cause),
    devices,
    since,
    place: 'devices',
    setupId: null,
    filter: { bucket, failureCode: obstacle === null ? codeOrNull(failureCode) : null, obstacle },
  };
}

/** Those whose user has only to sign in have no cause of their own: they are what is left of their bucket. */
function signInStep(causes: readonly CauseRow[], buckets: FleetTotals['buckets']): Step[] {
  const others = causes.filter(({ bucket }) => bucket === 'needs_user');
  const devices = buckets.needs_user - others.reduce((sum, each) => sum + each.devices, 0);
  if (devices <= 0) return [];
  return [
    {
      id: 'devices:needs_user:sign_in',
      owner: 'user',
      text: 'The user finishes enrollment, or signs in once with Okta FastPass.',
      action: 'ask_okta',
      devices,
      since: null,
      place: 'devices',
      setupId: null,
      filter: { bucket: 'needs_user', failureCode: null, obstacle: null },
    },
  ];
}

const NEEDED_TEXTS: Readonly<Record<Need['id'], string>> = {
  public_url: 'Set the address where devices, or NanoMDM, reach Odette',
  tls: 'Give Odette a TLS certificate, or put a proxy in front',
  push_certificate: 'Upload the Apple push certificate',
  apps_and_books: 'Upload the Apps and Books token',
  channel: 'Add the MDM server that your devices are enrolled in',
  integration: 'Connect your Okta tenant',
};

export async function onboardingOf(sql: Sql, needs: InstallationNeeds): Promise<Status['onboarding']> {
  const steps: Status['onboarding'] = [
    ...needs.applies.map((id) => {
      const need = needs.missing.find((one) => one.id === id);
      return { id, text: NEEDED_TEXTS[id], isDone: need === undefined, command: need?.command ?? null };
    }),
    ...(await deliverySteps(sql, needs.channels)),
  ];
  return steps.every(({ isDone }) => isDone) ? [] : steps;
}

/** Who observes only delivers nothing. Codes are for devices that enroll in Odette itself. */
async function deliverySteps(sql: Sql, channels: readonly ChannelKind[]): Promise<Status['onboarding']> {
  if (channels.length === 0) return [];
  const progress = await findProgress(sql);
  const enrolls = channels.some((kind) => CHANNEL_ABILITIES[kind].enroll);
  return [
    {
      id: 'library_item',
      text: 'Turn on Okta Device Trust in a library item for one blueprint',
      isDone: progress.hasItem,
      command: 'npx odette library-item save --blueprint NAME --device-trust on',
    },
    ...(enrolls
      ? [
          {
            id: 'enrollment_code' as const,
            text: 'Create an enrollment code',
            isDone: progress.hasCode,
            command: 'npx odette enrollment-code create --blueprint NAME',
          },
        ]
      : []),
    {
      id: 'first_device',
      text: enrolls ? 'Enroll the first device' : 'See the first device of your MDM server',
      isDone: progress.hasDevice,
      command: null,
    },
    { id: 'first_trusted', text: 'See the first device trusted', isDone: progress.hasTrusted, command: null },
  ];
}

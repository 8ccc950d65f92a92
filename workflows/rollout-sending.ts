// Sends the requests of one step and learns from the responses what a rollout remembers.
import type { QueuedCommands } from '../activities/queue-for-device.ts';
import { classOf } from '../domain/device-error-classes.ts';
import type { FailureCode } from '../domain/failures.ts';
import { triedAgain } from '../domain/retries.ts';
import type { Query, RolloutMemory, StepRequest } from '../domain/rollout-action.ts';
import { isQuery, outdatedBy, stepOf, tryKeyOf } from '../domain/rollout-step.ts';
import type { CommandOutcome, DeviceConversation } from './device-conversation.ts';

export interface Sent {
  readonly memory: RolloutMemory;
  /** The device gave no response within the patience of the rollout. */
  readonly isSilent: boolean;
  readonly licenseMissed: boolean;
  readonly refused: boolean;
  readonly configurationTakenBack: boolean;
}

/** Responses that only inform, and a renewal that has time: a device that cannot give them is not held up. */
const OPTIONAL: readonly string[] = [
  'DeviceInformation',
  'InstalledApplicationList',
  'RenewIdentity',
  'UserProfileList',
  'UserCertificateList',
];

export const without = (memory: RolloutMemory, queries: readonly Query[]): RolloutMemory => ({
  ...memory,
  fresh: memory.fresh.filter((query) => !queries.includes(query)),
});

/** Nobody was there to list it: it is not asked again in this run. */
export const asIfListed = (memory: RolloutMemory, requests: readonly StepRequest[]): RolloutMemory => ({
  ...memory,
  fresh: [...new Set([...memory.fresh, ...requests.filter(isQuery).map(({ type }) => type)])],
});

/** Remembers a try of the change `key`, and when it may be tried again. */
export const tried = (memory: RolloutMemory, key: string, failure: FailureCode | null): RolloutMemory => ({
  ...memory,
  tries: {
    ...memory.tries,
    // The sandbox of workflows seeds both: a replay sees the same.
    [key]: triedAgain(memory.tries[key], failure, Date.now(), Math.random()),
  },
});

/** The user refused the app: its next try, a day later, is the first of a new row. */
export function refused(memory: RolloutMemory): RolloutMemory {
  const { app: _, ...tries } = memory.tries;
  return { ...memory, tries, appSent: false };
}

/** Somebody changed something: what failed before may work now, and an app that only the device says is on its way is sent again. */
export const withoutFailures = (memory: RolloutMemory): RolloutMemory => ({
  ...memory,
  tries: Object.fromEntries(Object.entries(memory.tries).filter(([, { failure }]) => failure === null)),
  appSent: memory.appSent && (memory.tries['app']?.failure ?? null) === null,
});

interface SentStep {
  readonly enrollmentId: string;
  readonly requests: readonly StepRequest[];
  /** By the plan. */
  readonly queued: QueuedCommands | null;
}

export async function sendAndLearn(
  conversation: DeviceConversation,
  memory: RolloutMemory,
  { enrollmentId, requests, queued }: SentStep,
  intervals: Iterable<number>,
  isChanged: () => boolean,
): Promise<Sent> {
  const wanted = requests.map((request) => ({ step: stepOf(request), request }));
  const carried = await conversation.carryOut(
    { enrollmentId, scope: '' },
    wanted,
    intervals,
    isChanged,
    queued,
  );
  const nothing = {
    memory,
    isSilent: carried.kind === 'silent',
    licenseMissed: false,
    refused: false,
    configurationTakenBack: false,
  };
  return carried.kind === 'responded' ? carried.outcomes.reduce<Sent>(learn, nothing) : nothing;
}

function learn(sent: Sent, outcome: CommandOutcome): Sent {
  const { request, failureCode } = outcome;
  switch (outcome.status) {
    case 'Acknowledged':
      return failureCode === null ? acknowledged(sent, request) : failed(sent, request, failureCode);
    case 'Error':
    case 'CommandFormatError':
      return failed(sent, request, failureCode ?? 'mdm.device_error_unknown');
    case 'Unknown':
      // The app may be on its way, and is looked for. A renewal's challenge may be spent: the next run sends another.
      if (request.type === 'InstallApplication') return acknowledged(sent, request);
      return request.type === 'RenewIdentity' ? remembered(sent, request, null) : sent;
    // Taken back, or not carried out yet: it is planned again.
    case 'Withdrawn':
    case 'NotNow':
      return sent;
  }
}

const remembered = (sent: Sent, request: StepRequest, failure: FailureCode | null): Sent => {
  const memory = tried(sent.memory, tryKeyOf(request), failure);
  // An app that was on its way before this refusal is not on its way any more.
  const isRefused = request.type === 'InstallApplication' && failure !== null;
  return { ...sent, memory: isRefused ? { ...memory, appSent: false } : memory };
};

function acknowledged(sent: Sent, request: StepRequest): Sent {
  const memory = without(sent.memory, outdatedBy(request));
  if (isQuery(request))
    return { ...sent, memory: { ...memory, fresh: [...new Set([...memory.fresh, request.type])] } };
  const takenBack = request.type === 'ApplicationConfiguration' && request.content === 'own';
  return {
    ...sent,
    memory: {
      ...tried(memory, tryKeyOf(request), null),
      ...(request.type === 'InstallApplication' ? { appSent: true, appChecks: 0 } : {}),
    },
    configurationTakenBack: sent.configurationTakenBack || takenBack,
  };
}

function failed(sent: Sent, request: StepRequest, failure: FailureCode): Sent {
  if (OPTIONAL.includes(request.type)) return acknowledged(sent, request);
  switch (classOf(failure)) {
    case 'on_its_way': {
      const after = acknowledged(sent, request);
      if (request.type !== 'InstallApplication') return after;
      const { app } = after.memory.tries;
      const tries = app === undefined ? {} : { app: { ...app, failure } };
      return { ...after, memory: { ...after.memory, tries: { ...after.memory.tries, ...tries } } };
    }
    case 'needs_user':
      return { ...sent, refused: true, memory: refused(sent.memory) };
    case 'needs_license':
      return { ...remembered(sent, request, failure), licenseMissed: true };
    case 'needs_challenge':
    case 'passes':
    case 'permanent':
    case 'unknown': {
      // Nobody knows what an unreadable response did: the device is asked.
      const memory =
        failure === 'mdm.message_unreadable' ? without(sent.memory, outdatedBy(request)) : sent.memory;
      return remembered({ ...sent, memory }, request, failure);
    }
  }
}

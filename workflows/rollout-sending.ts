// Sends the requests of one step and learns from the answers what a rollout remembers.
import { condition } from '@temporalio/workflow';
import type { FailureCode } from '../domain/failures.ts';
import {
  outdatedBy,
  stepOf,
  tryKeyOf,
  type Query,
  type RolloutMemory,
  type StepRequest,
} from '../domain/rollout-plan.ts';
import type { CommandOutcome, DeviceConversation } from './device-conversation.ts';

export interface Sent {
  readonly memory: RolloutMemory;
  /** Permanent: the rollout ends with it. */
  readonly failure: FailureCode | null;
  readonly licenseMissed: boolean;
  readonly refused: boolean;
  readonly configurationTakenBack: boolean;
}

const LICENSE_PAUSE_MS = 15_000;

/** Answers that only inform, and a renewal that has time: a device that cannot give them is not held up. */
const OPTIONAL: readonly string[] = ['DeviceInformation', 'InstalledApplicationList', 'RenewIdentity'];

export const without = (memory: RolloutMemory, queries: readonly Query[]): RolloutMemory => ({
  ...memory,
  fresh: memory.fresh.filter((query) => !queries.includes(query)),
});

export async function sendAndLearn(
  conversation: DeviceConversation,
  before: RolloutMemory,
  enrollmentId: string,
  requests: readonly StepRequest[],
  intervals: Iterable<number>,
  isChanged: () => boolean,
): Promise<Sent> {
  const wanted = requests.map((request) => ({ step: stepOf(request), request }));
  const carried = await conversation.carryOut({ enrollmentId, scope: '' }, wanted, intervals, isChanged);
  const nothing = { failure: null, licenseMissed: false, refused: false, configurationTakenBack: false };
  if (carried.kind === 'interrupted') return { memory: before, ...nothing };
  if (carried.kind === 'silent') return { memory: before, ...nothing, failure: 'mdm.device_silent' };

  const learned = carried.outcomes.reduce<Sent>(learn, { memory: before, ...nothing });
  if (learned.licenseMissed)
    await condition(isChanged, LICENSE_PAUSE_MS, { summary: 'license is assigned again' });
  return learned;
}

function learn(sent: Sent, outcome: CommandOutcome): Sent {
  const { request, failureCode } = outcome;
  switch (outcome.status) {
    case 'Acknowledged':
      if (failureCode !== null && !OPTIONAL.includes(request.type)) return failed(sent, failureCode);
      return acknowledged(sent, request);
    case 'Error':
    case 'CommandFormatError':
      if (request.type === 'RemoveProfile' && failureCode === 'mdm.profile_absent')
        return acknowledged(sent, request);
      if (OPTIONAL.includes(request.type)) return acknowledged(sent, request);
      if (failureCode === 'mdm.user_refused_app')
        return { ...sent, refused: true, memory: counted(sent.memory, request) };
      if (failureCode === 'mdm.license_not_found')
        return { ...sent, licenseMissed: true, memory: counted(sent.memory, request) };
      return failed(sent, failureCode ?? 'mdm.command_refused');
    // Taken back, or never answered: it is planned again.
    case 'Unknown':
      return request.type === 'RenewIdentity' ? { ...sent, memory: counted(sent.memory, request) } : sent;
    case 'Withdrawn':
    case 'NotNow':
      return sent;
  }
}

const failed = (sent: Sent, failure: FailureCode): Sent => ({ ...sent, failure: sent.failure ?? failure });

const counted = (memory: RolloutMemory, request: StepRequest): RolloutMemory => {
  const key = tryKeyOf(request);
  return key === undefined
    ? memory
    : { ...memory, tries: { ...memory.tries, [key]: (memory.tries[key] ?? 0) + 1 } };
};

function acknowledged(sent: Sent, request: StepRequest): Sent {
  const isQuery = tryKeyOf(request) === undefined;
  const changed = counted(without(sent.memory, outdatedBy(request)), request);
  const memory: RolloutMemory = {
    ...changed,
    fresh: isQuery ? [...new Set([...changed.fresh, request.type as Query])] : changed.fresh,
    ...(request.type === 'InstallApplication' ? { appSent: true, appChecks: 0 } : {}),
  };
  const takenBack = request.type === 'ApplicationConfiguration' && request.content === 'own';
  return { ...sent, memory, configurationTakenBack: sent.configurationTakenBack || takenBack };
}

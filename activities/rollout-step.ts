// The first move of a step that a rollout's plan has decided on: it queues what is sent, and asks for the certificate.
import { attemptOf, type UsedAttempts } from '../domain/command-attempts.ts';
import type { RolloutAction, RolloutMemory, RolloutPhase } from '../domain/rollout-action.ts';
import { stepOf } from '../domain/rollout-step.ts';
import type { DeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { BodySource } from './command-body.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { queueAll, type QueuedCommands } from './queue-for-device.ts';
import { workflowRequests } from './workflow-requests.ts';

export interface PlanInput {
  readonly deviceId: string;
  readonly memory: RolloutMemory;
  readonly nowMs: number;
  readonly run: { readonly runId: string; readonly workflowId: string; readonly firstRunId: string };
  /** Nobody changed anything or asked for it: what failed before is shown until it is seen to be healed. */
  readonly isCheck: boolean;
  readonly usedAttempts: UsedAttempts;
  /** Of the request to the certificate workflow, where the plan makes one. */
  readonly eventId: string;
}

export interface PlannedStep {
  readonly action: RolloutAction;
  /** What it sends. null: it sends nothing. */
  readonly queued: QueuedCommands | null;
  readonly phase: RolloutPhase;
  readonly enrollmentId: string;
  /** What people call the device; null: it has neither a name nor a serial number. */
  readonly deviceName: string | null;
  /** What is pending and who acts next. */
  readonly words: string;
  readonly integrationId: string | null;
  readonly patienceHours: number;
  /** The app is not there as it should be: a license can be fetched beside everything else. */
  readonly needsLicense: boolean;
  /** Apple has assigned the license that the memory had as pending. */
  readonly hasLicense: boolean;
}

export interface Planned extends Omit<PlannedStep, 'queued'> {
  readonly state: DeviceState;
}

/** The first move of a step, again and again the same: commands and event have ids that the run gives them. */
export async function begin(
  deps: ActivityDependencies,
  { deviceId, run, usedAttempts, eventId }: PlanInput,
  { state, ...step }: Planned,
): Promise<PlannedStep> {
  const { action, enrollmentId } = step;
  if (action.do === 'send') {
    const scope = { enrollmentId, scope: '' };
    const commands = action.requests.map((request) => {
      const command = { step: stepOf(request), request };
      return { ...command, attempt: attemptOf(usedAttempts, scope, command) };
    });
    const source = new BodySource(deps, deviceId, state);
    const queued = await queueAll(deps, { deviceId, ...run, ...scope, commands }, source);
    return { ...step, queued };
  }
  if (action.do === 'obtainCertificate') {
    const label = step.deviceName ?? 'a device';
    await workflowRequests(deps).requestCertificate({
      deviceId,
      label,
      integrationId: action.integrationId,
      eventId,
    });
  }
  return { ...step, queued: null };
}

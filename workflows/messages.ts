// The public face of the workflows: ids, task queue, signals, updates, queries, search attributes.
// A constant is its wire name plus its kind; every message has one object argument.
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { FleetStep } from '../activities/fleet-rollout.ts';
import type { RotationStep } from '../activities/secret-rotation.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { Refusal, SetupAnswer, SetupState } from '../domain/setup-wizard.ts';

export const TASK_QUEUE = 'odette';

/** Ids are never encrypted: they hold Odette's own random ids only. */
export const workflowIds = {
  setup: (setupId: string) => `setup/${setupId}`,
  rollout: (deviceId: string) => `rollout/${deviceId}`,
  certificate: (deviceId: string) => `certificate/${deviceId}`,
  removal: (removalId: string) => `removal/${removalId}`,
  trust: (integrationId: string) => `trust/${integrationId}`,
  fleet: (fleetRolloutId: string) => `fleet/${fleetRolloutId}`,
  rotation: (rotationId: string) => `rotation/${rotationId}`,
  sweep: (sweep: 'trust' | 'enforcement' | 'expiry' | 'prerequisites', integrationId: string) =>
    `sweep/${sweep}/${integrationId}`,
};

/** Every signal carries the id of the outbox row (or activity) it came from: duplicates are dropped by it. */
export interface Event {
  readonly eventId: string;
}

/**
 * NotNow: offered again at the device's next Idle. Unknown: handed over once, unanswered at the device's next Idle.
 * Withdrawn: taken back before it was handed over.
 */
export const COMMAND_STATUSES = [
  'Acknowledged',
  'Error',
  'CommandFormatError',
  'NotNow',
  'Unknown',
  'Withdrawn',
] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

export interface CommandResponse {
  readonly commandUuid: string;
  readonly step: string;
  readonly status: CommandStatus;
  readonly failureCode?: FailureCode;
}

/** What a device responded since the last one, in its order: told when none of the commands that go together is outstanding. */
export interface CommandsResponded extends Event {
  readonly responses: readonly CommandResponse[];
}

export const commandsRespondedSignal = defineSignal<[CommandsResponded]>('commandsResponded');
/** Something about the device's blueprint, item, integration or secrets changed, or somebody asked for a check. */
export interface DesiredStateChanged extends Event {
  readonly reason: string;
  /** A person wants another try: a user who refused the app is asked once more. */
  readonly asksUserAgain?: boolean;
}
export const desiredStateChangedSignal = defineSignal<[DesiredStateChanged]>('desiredStateChanged');
/** Everything outstanding is gone, all truths are reset; plan again after deviceEnrolled. */
export const deviceAuthenticatedSignal = defineSignal<[Event]>('deviceAuthenticated');
/** The first TokenUpdate of an enrollment. */
export const deviceEnrolledSignal = defineSignal<[Event]>('deviceEnrolled');
export const deviceCheckedOutSignal = defineSignal<[Event]>('deviceCheckedOut');

export const certificateWantedSignal =
  defineSignal<[Event & { readonly integrationId: string }]>('certificateWanted');
export const certificateNotNeededSignal = defineSignal<[Event]>('certificateNotNeeded');
export const renewNowSignal = defineSignal<[Event & { readonly reason: string }]>('renewNow');
export const certificateProvenSignal =
  defineSignal<[Event & { readonly deliveryId: string; readonly notAfter: string }]>('certificateProven');
export const certificateFailedSignal =
  defineSignal<[Event & { readonly failureCode: FailureCode }]>('certificateFailed');
export const certificateRemovedSignal = defineSignal<[Event]>('certificateRemoved');

/** It was begun, or a person steered it: the tables say how. */
export const fleetRolloutSteeredSignal = defineSignal<[Event]>('fleetRolloutSteered');
export const fleetRolloutProgressQuery = defineQuery<FleetStep | null>('fleetRolloutProgress');

/** A person stopped it, let it go on, or undid it: the tables say which. */
export const removalChangedSignal = defineSignal<[Event]>('removalChanged');
/** A device is due for which the workflow does not wake by itself. */
export const oktaLooksWantedSignal = defineSignal<[Event]>('oktaLooksWanted');
/** A rotation was begun, or a person steered it: the tables say how. */
export const rotationSteeredSignal = defineSignal<[Event]>('rotationSteered');
export const rotationProgressQuery = defineQuery<RotationStep | null>('rotationProgress');

/** Who gave it stands in the tables, under the id of its update. */
export interface GivenAnswer {
  readonly answer: SetupAnswer;
}
/** The detail of the failure of a refused answer; its type is the first refusal's code. */
export interface SetupRefused {
  readonly refusals: readonly Refusal[];
}
export const answerStepUpdate = defineUpdate<SetupState, [GivenAnswer]>('answerStep');
export const setupStateQuery = defineQuery<SetupState>('setupState');

export const searchAttributes = {
  integrationId: defineSearchAttributeKey('IntegrationId', SearchAttributeType.KEYWORD),
  deviceId: defineSearchAttributeKey('DeviceId', SearchAttributeType.KEYWORD),
  rolloutPhase: defineSearchAttributeKey('RolloutPhase', SearchAttributeType.KEYWORD),
  failureKind: defineSearchAttributeKey('FailureKind', SearchAttributeType.KEYWORD),
  certificateNotAfter: defineSearchAttributeKey('CertificateNotAfter', SearchAttributeType.DATETIME),
};

// How each workflow is started: type, id, reuse policy, summary and search attributes, in one place. Activities, relay and API spread
// `options` into the call of their Temporal client and add their signal or update.
import { priorityOf, type Lane } from '../domain/lanes.ts';
import { markdownText } from '../domain/markdown.ts';
import { FIRST_PHASE } from '../domain/rollout-action.ts';
import { searchAttributes, TASK_QUEUE, workflowIds } from './messages.ts';
import type { KeepCertificateInput } from './certificate-state.ts';
import type { SweepInput } from './observe-trust.ts';
import type { PollOktaTrustInput } from './poll-okta-trust.ts';
import type { RemovePlatformInput } from './remove-platform.ts';
import type { RollOutDeviceInput } from './roll-out-device.ts';
import type { RollOutFleetInput } from './roll-out-fleet.ts';
import type { RotateSecretInput } from './rotate-secret.ts';
import { placed } from './placed.ts';
import type { SetUpIntegrationInput } from './set-up-integration.ts';

export interface StartedDevice {
  readonly deviceId: string;
  /** null: in no integration's scope. */
  readonly integrationId: string | null;
  /** What people call it; shown in Temporal's pages. */
  readonly label: string;
}

const integrationAttribute = (integrationId: string) => ({
  key: searchAttributes.integrationId,
  value: integrationId,
});

const attributesOf = ({ deviceId, integrationId }: Omit<StartedDevice, 'label'>) => [
  { key: searchAttributes.deviceId, value: deviceId },
  ...(integrationId === null ? [] : [integrationAttribute(integrationId)]),
];

/** One at a time for each device; the next one begins when the last has ended, however it ended. */
const ONE_AT_A_TIME = {
  taskQueue: TASK_QUEUE,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  workflowIdConflictPolicy: 'USE_EXISTING',
} as const;

/** @param lane of what asked for it; all that the rollout does goes in it */
export const rolloutStart = (device: StartedDevice, lane: Lane) => ({
  type: 'rollOutDevice',
  options: {
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.rollout(device.deviceId),
    priority: priorityOf(lane, device.integrationId),
    staticSummary: `Okta Device Trust for ${markdownText(device.label)}`,
    typedSearchAttributes: [
      ...attributesOf(device),
      { key: searchAttributes.rolloutPhase, value: FIRST_PHASE },
    ],
    args: [{ deviceId: device.deviceId }] as [RollOutDeviceInput],
  },
});

export const certificateStart = (device: StartedDevice) => ({
  type: 'keepCertificate',
  options: {
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.certificate(device.deviceId),
    priority: priorityOf('device', device.integrationId),
    staticSummary: `Certificate of ${markdownText(device.label)}`,
    typedSearchAttributes: attributesOf(device),
    args: [
      {
        deviceId: device.deviceId,
        ...(device.integrationId === null ? {} : { integrationId: device.integrationId }),
      },
    ] as [KeepCertificateInput],
  },
});

export const oktaTrustPollStart = (integrationId: string) => ({
  type: 'pollOktaTrust',
  options: {
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.trust(integrationId),
    priority: priorityOf('device', integrationId),
    staticSummary: 'Asks Okta whether devices that just finished their rollout are managed',
    typedSearchAttributes: [integrationAttribute(integrationId)],
    args: [{ integrationId }] as [PollOktaTrustInput],
  },
});

export const fleetStart = (input: RollOutFleetInput) => ({
  type: 'rollOutFleet',
  options: {
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.fleet(input.fleetRolloutId),
    priority: priorityOf('person', null),
    staticSummary: 'Sends a change to many devices: a canary first, then waves',
    args: [input] as [RollOutFleetInput],
  },
});

export const rotationStart = (input: RotateSecretInput) => ({
  type: 'rotateSecret',
  options: {
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.rotation(input.rotationId),
    priority: priorityOf('person', null),
    staticSummary: 'Rotates a secret that an integration shares with Okta',
    args: [input] as [RotateSecretInput],
  },
});

export const setupStart = (input: SetUpIntegrationInput) => ({
  type: 'setUpIntegration',
  options: {
    taskQueue: TASK_QUEUE,
    workflowId: workflowIds.setup(input.state.setupId),
    priority: priorityOf('person', null),
    // The id of a setup is never used again.
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    // An earlier attempt may have reached Temporal although it seemed not to.
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    staticSummary: input.state.amends
      ? 'Changes an integration with Okta'
      : 'Sets up an integration with Okta',
    args: [input] as [SetUpIntegrationInput],
  },
});

export const removalStart = (input: RemovePlatformInput, integrationId: string, label: string) => ({
  type: 'removePlatform',
  options: {
    // One that is over ends at its first look; one that somebody ended goes on.
    ...ONE_AT_A_TIME,
    workflowId: workflowIds.removal(input.removalId),
    priority: priorityOf('person', integrationId),
    staticSummary: `Removes ${markdownText(label)}`,
    typedSearchAttributes: [integrationAttribute(integrationId)],
    args: [input] as [RemovePlatformInput],
  },
});

export const SWEEPS = ['trust', 'enforcement', 'expiry', 'prerequisites'] as const;
export type Sweep = (typeof SWEEPS)[number];

const SWEEP_TYPES = {
  trust: 'observeTrust',
  enforcement: 'enforceDesiredState',
  expiry: 'watchExpiry',
  prerequisites: 'checkIntegration',
} as const satisfies Record<Sweep, string>;

/** The action of a sweep's schedule, whose id is the workflow's too. No interceptor puts the place on what schedules start. */
export const sweepStart = (sweep: Sweep, integrationId: string) => ({
  workflowType: SWEEP_TYPES[sweep],
  workflowId: workflowIds.sweep(sweep, integrationId),
  taskQueue: TASK_QUEUE,
  priority: priorityOf('late', integrationId),
  args: [placed(SWEEP_TYPES[sweep], { integrationId } satisfies SweepInput)],
  typedSearchAttributes: [integrationAttribute(integrationId)],
});

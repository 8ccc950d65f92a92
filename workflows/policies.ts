// How often each group of activities is tried, and for how long: patience with devices and people is in the workflows.
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { DEFAULT_INTEGRATION_SETTINGS } from '../domain/integration-settings.ts';

/** What is carried out again and again ends at last, so that somebody is told: where the integration's own patience is not known, with the default one. */
export const PATIENCE = `${DEFAULT_INTEGRATION_SETTINGS.patienceHours} hours` as const;

// Short ones are local: part of the workflow task, so that a step costs no round trip. A worker that is killed in one begins the
// task again, and with it the activity, which knows what it did by the ids that the workflow gave it.

/** A database that is away for hours is waited for with timers, not inside a workflow task. */
const WAITING = { scheduleToCloseTimeout: PATIENCE, localRetryThreshold: '5 seconds' } as const;

/** Nothing but Odette's own database. */
export const database = proxyLocalActivities<
  Pick<
    Activities,
    | 'recordWaitsFor'
    | 'recordNotNow'
    | 'closeFailedRollout'
    | 'recordAppRefusal'
    | 'deleteAppRefusals'
    | 'recordConfigurationRemoved'
    | 'planCertificateStep'
    | 'recordDeliveryEnd'
    | 'recordCertificateEvent'
  >
>({
  startToCloseTimeout: '10 seconds',
  ...WAITING,
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** Plans, and carries out at once what needs nobody's answer: the queue and the push, the request to the certificate workflow. */
export const plans = proxyLocalActivities<Pick<Activities, 'planRolloutStep'>>({
  startToCloseTimeout: '15 seconds',
  ...WAITING,
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** The queue and the push. A killed worker costs seconds. */
export const commandQueue = proxyLocalActivities<
  Pick<Activities, 'queueCommands' | 'pushAgain' | 'withdrawCommand'>
>({
  startToCloseTimeout: '15 seconds',
  ...WAITING,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Other workflows, through the Temporal client. */
export const otherWorkflows = proxyLocalActivities<
  Pick<Activities, 'requestCertificate' | 'requestCertificateRemoval' | 'signalRollout'>
>({
  startToCloseTimeout: '10 seconds',
  ...WAITING,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Looks for seconds whether Apple has assigned a license: not local, for the device's responses must not wait behind it. */
export const appsAndBooks = proxyActivities<Pick<Activities, 'assignLicense' | 'returnLicense'>>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});

/** What Okta refuses is no failure of the activity: the certificate workflow waits until it is woken, and tells people meanwhile. */
export const okta = proxyActivities<Pick<Activities, 'deliverCertificate'>>({
  // A turn, a look-up of the secret, and the request.
  startToCloseTimeout: '30 seconds',
  retry: {
    initialInterval: '2 seconds',
    backoffCoefficient: 3,
    maximumInterval: '1 minute',
    maximumAttempts: 3,
  },
});

/** Okta's Devices API. Its rate limits say how long to wait. */
export const oktaDevices = proxyActivities<
  Pick<Activities, 'lookUpDueDevices' | 'observeOktaPage' | 'concludeObservation'>
>({
  startToCloseTimeout: '30 seconds',
  // The next sweep comes anyway.
  scheduleToCloseTimeout: '2 hours',
  // A tenant that answers again is asked within a minute; until then the budget refuses without asking it.
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** One try in passing, local: it costs no task of its own. What does not end well goes on in `oktaDevices`, `okta` or `appsAndBooks`. */
export const localTry = {
  okta: proxyLocalActivities<Pick<Activities, 'lookUpDueDevices' | 'deliverCertificate'>>({
    startToCloseTimeout: '15 seconds',
    retry: { maximumAttempts: 1 },
  }),
  /** The device's responses wait behind it. */
  appsAndBooks: proxyLocalActivities<Pick<Activities, 'assignLicense'>>({
    startToCloseTimeout: '3 seconds',
    retry: { maximumAttempts: 1 },
  }),
};

/** Okta, Apple and the SCEP server: the next check comes in a day. */
export const integrationChecks = proxyActivities<Pick<Activities, 'inspectIntegration'>>({
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '6 hours',
  retry: { initialInterval: '30 seconds', backoffCoefficient: 2, maximumInterval: '30 minutes' },
});

export const removals = proxyActivities<Pick<Activities, 'advanceRemoval'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: PATIENCE,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

export const sweeps = proxyActivities<Pick<Activities, 'enforcePage' | 'watchExpiryPage'>>({
  startToCloseTimeout: '30 seconds',
  // The next sweep comes anyway.
  scheduleToCloseTimeout: '2 hours',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

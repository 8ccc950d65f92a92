// Which ways through the workflows a recorded history has gone, and which patch markers it holds: a way that no history has gone is replayed by
// no test.
import { readRecorded } from './test-codec.ts';

interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}
interface JsonFailure {
  readonly applicationFailureInfo?: { readonly type?: string };
}
/** As `temporal workflow show -o json` has it. */
interface RecordedEvent {
  readonly eventType: string;
  readonly userMetadata?: { readonly summary?: JsonPayload };
  readonly workflowTaskFailedEventAttributes?: { readonly cause?: string };
  readonly workflowExecutionFailedEventAttributes?: { readonly failure?: JsonFailure };
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType: { readonly name: string };
    /** `90s`; `0s`: it has no end. */
    readonly scheduleToCloseTimeout: string;
  };
  readonly markerRecordedEventAttributes?: {
    readonly markerName: string;
    readonly details: Readonly<Record<string, { readonly payloads: readonly JsonPayload[] }>>;
  };
}
export type Events = readonly RecordedEvent[];

const textOf = ({ data = '' }: JsonPayload): string => Buffer.from(data, 'base64').toString('utf8');

/** Of a marker that the SDK's core wrote: it stands in the clear. */
const markers = (events: Events, name: string): string[] =>
  events.flatMap(({ markerRecordedEventAttributes: marker }) =>
    marker?.markerName === name
      ? Object.values(marker.details).flatMap(({ payloads }) => payloads.map(textOf))
      : [],
  );

const ranLocally = (activity: string) => (events: Events) =>
  markers(events, 'core_local_activity').some((text) => text.includes(`"activity_type":"${activity}"`));

const ran = (activity: string) => (events: Events) =>
  events.some((event) => event.activityTaskScheduledEventAttributes?.activityType.name === activity);

const failedOf = (code: string) => (events: Events) =>
  events.some(
    (event) => event.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo?.type === code,
  );

const has = (type: string) => (events: Events) =>
  events.some(({ eventType }) => eventType === `EVENT_TYPE_${type}`);

const waited = (summary: string) => (events: Events) =>
  events.some((event) => {
    const { metadata = {}, data = '' } = event.userMetadata?.summary ?? {};
    const sealed = {
      metadata: Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
      ),
      data: Buffer.from(data, 'base64'),
    };
    return Buffer.from(readRecorded(sealed).data ?? [])
      .toString('utf8')
      .includes(summary);
  });

export const BRANCHES: Readonly<Record<string, (events: Events) => boolean>> = {
  'the device says NotNow': ranLocally('recordNotNow'),
  'the device is silent until the patience is over': failedOf('mdm.device_silent'),
  'the device is woken again': ranLocally('pushAgain'),
  'a run is reset': (events) =>
    events.some(
      (event) =>
        event.workflowTaskFailedEventAttributes?.cause === 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW',
    ),
  'a rollout backs off from what passes': (events) =>
    ranLocally('planRolloutStep')(events) && waited('retry after')(events),
  'a certificate backs off from what passes': (events) =>
    ranLocally('planCertificateStep')(events) && waited('retry after')(events),
  'Okta is looked at in passing': ranLocally('lookUpDueDevices'),
  'Okta is asked again by an activity that waits': ran('lookUpDueDevices'),
  'a certificate is sent in passing': ranLocally('deliverCertificate'),
  'a license is assigned in passing': ranLocally('assignLicense'),
  'a certificate is removed': ranLocally('requestCertificateRemoval'),
  'a certificate is renewed': (events) =>
    waited('until the renewal')(events) && ranLocally('deliverCertificate')(events),
  'a run continues as new': has('WORKFLOW_EXECUTION_CONTINUED_AS_NEW'),
  'somebody cancels a run': has('WORKFLOW_EXECUTION_CANCELED'),
  'a run fails': has('WORKFLOW_EXECUTION_FAILED'),
};

/** Of these patches those that no history holds a marker of. */
export const missingPatches = (patches: readonly string[], histories: readonly Events[]): string[] =>
  patches.filter(
    (id) =>
      !histories.some((events) =>
        markers(events, 'core_patch').some((text) => text.includes(`"id":"${id}"`)),
      ),
  );

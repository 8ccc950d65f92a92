// What a rollout was told while it runs. Handlers only write it down; the loop decides.
import { setHandler } from '@temporalio/workflow';
import { FAILURES, failureCodeOf, type FailureCode } from '../domain/failures.ts';
import type { DeviceConversation } from './device-conversation.ts';
import {
  certificateFailedSignal,
  certificateProvenSignal,
  certificateRemovedSignal,
  commandsRespondedSignal,
  desiredStateChangedSignal,
  deviceAuthenticatedSignal,
  deviceCheckedOutSignal,
  deviceEnrolledSignal,
  type DesiredStateChanged,
  type Event,
} from './messages.ts';
import { SeenEvents } from './seen-events.ts';
import type { DeviceDetails } from './show-details.ts';

export class RolloutSignals {
  /** Rises with everything that makes the present plan old. */
  changes = 0;
  certificatesProven = 0;
  certificatesRemoved = 0;
  readonly certificateFailures: FailureCode[] = [];
  /** A person wants another try: what the user refused counts no more. */
  asksUserAgain = false;
  readonly #seen = new SeenEvents();
  readonly #details: DeviceDetails;

  constructor(details: DeviceDetails) {
    this.#details = details;
  }

  /** Registers every handler: call it before the first await. */
  listen(conversation: DeviceConversation): void {
    setHandler(commandsRespondedSignal, (responded) => conversation.onResponses(responded));
    setHandler(desiredStateChangedSignal, (event) => this.#onDesiredStateChanged(event));
    setHandler(deviceAuthenticatedSignal, (event) => this.#onChange(event));
    setHandler(deviceEnrolledSignal, (event) => this.#onChange(event));
    setHandler(deviceCheckedOutSignal, (event) => this.#onChange(event));
    setHandler(certificateFailedSignal, (event) => this.#onCertificateFailed(event));
    setHandler(certificateProvenSignal, ({ eventId }) => {
      if (this.#seen.isNew(eventId)) this.certificatesProven += 1;
    });
    setHandler(certificateRemovedSignal, ({ eventId }) => {
      if (this.#seen.isNew(eventId)) this.certificatesRemoved += 1;
    });
  }

  /** Whether anything changed since this call. */
  watch(): () => boolean {
    const seen = this.changes;
    return () => this.changes !== seen;
  }

  #onChange({ eventId }: Event): void {
    if (this.#seen.isNew(eventId)) this.changes += 1;
  }

  #onDesiredStateChanged(event: DesiredStateChanged): void {
    if (event.asksUserAgain === true) this.asksUserAgain = true;
    this.#onChange(event);
  }

  /** The certificate workflow goes on by itself; who looks at this rollout sees what is in its way. */
  #onCertificateFailed({ eventId, failureCode }: Event & { readonly failureCode: FailureCode }): void {
    if (!this.#seen.isNew(eventId)) return;
    // A code that only a newer release knows.
    const code = failureCodeOf(failureCode);
    this.certificateFailures.push(code);
    this.#details.show([`${FAILURES[code].title} ${FAILURES[code].remedy}`], 'certificate');
  }
}

// What a rollout hears while it runs. Handlers only note; the loop decides.
import { setHandler } from '@temporalio/workflow';
import type { FailureCode } from '../domain/failures.ts';
import type { DeviceConversation } from './device-command.ts';
import {
  certificateFailedSignal,
  certificateProvenSignal,
  certificateRemovedSignal,
  commandAnsweredSignal,
  desiredStateChangedSignal,
  deviceAuthenticatedSignal,
  deviceCheckedOutSignal,
  deviceEnrolledSignal,
} from './messages.ts';
import { OnceOnly } from './once-only.ts';

export class RolloutSignals {
  /** Rises with everything that makes the present plan old. */
  changes = 0;
  certificatesProven = 0;
  certificatesRemoved = 0;
  certificateFailures: FailureCode[] = [];
  /** A person wants another try: what the user refused counts no more. */
  asksUserAgain = false;

  /** Registers every handler: call it before the first await. */
  constructor(conversation: DeviceConversation, onCertificateFailure: (code: FailureCode) => void) {
    const once = new OnceOnly();
    const onChange = ({ eventId }: { readonly eventId: string }) => {
      if (once.isNew(eventId)) this.changes += 1;
    };
    setHandler(commandAnsweredSignal, (answered) => conversation.hear(answered));
    setHandler(desiredStateChangedSignal, (changed) => {
      if (changed.asksUserAgain === true) this.asksUserAgain = true;
      onChange(changed);
    });
    setHandler(deviceAuthenticatedSignal, onChange);
    setHandler(deviceEnrolledSignal, onChange);
    setHandler(deviceCheckedOutSignal, onChange);
    setHandler(certificateProvenSignal, ({ eventId }) => {
      if (once.isNew(eventId)) this.certificatesProven += 1;
    });
    setHandler(certificateRemovedSignal, ({ eventId }) => {
      if (once.isNew(eventId)) this.certificatesRemoved += 1;
    });
    setHandler(certificateFailedSignal, ({ eventId, failureCode }) => {
      if (!once.isNew(eventId)) return;
      this.certificateFailures.push(failureCode);
      onCertificateFailure(failureCode);
    });
  }
}

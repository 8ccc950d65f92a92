// What Temporal's pages say of a certificate workflow: what it does, and how urgent it is.
import type { PlannedCertificateStep } from '../activities/certificate-records.ts';

/** The action, and how urgent it is. */
export const certificateHeading = ({ action, urgency }: PlannedCertificateStep): string =>
  urgency === 'late' || urgency === 'expired' ? `${action.do} (${urgency})` : action.do;

export function certificateStatusText({ action, notAfterMs, renewsFromMs }: PlannedCertificateStep): string {
  const end = notAfterMs === null ? '' : ` The current certificate expires on ${dayOf(notAfterMs)}.`;
  const renewal =
    action.do === 'sleep' && renewsFromMs ? ` Odette renews it on or after ${dayOf(renewsFromMs)}.` : '';
  return `${WORDS[action.do]}${end}${renewal}`;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const WORDS: Readonly<Record<PlannedCertificateStep['action']['do'], string>> = {
  waitForEnrollment: 'The Mac is not enrolled.',
  ask: 'Odette asks the Mac for its profiles and certificates. The Mac responds when it is awake and online.',
  remove: 'The Mac removes a certificate profile that is not needed.',
  deliver: 'The Mac gets a new certificate from Okta.',
  sleep: 'No action needed until the renewal.',
  waitToBeWanted: 'No certificate is needed.',
  waitForScope: 'The device is out of scope. Odette sends nothing new; the rollout removes what is there.',
  waitForUser:
    'The certificate goes into a login keychain, and no user of the Mac has logged in since it enrolled. Ask the user to log in once.',
  waitForOkta:
    'An Okta admin suspended or deactivated the device: it gets no certificate until an Okta admin changes that.',
  end: 'No certificate is needed.',
};

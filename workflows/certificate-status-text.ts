// What Temporal's pages say of a certificate workflow: what it does, and how urgent it is.
import type { PlannedCertificateStep } from '../activities/certificate-records.ts';
import type { CertificateAction } from '../domain/certificate-plan.ts';

export function certificateStatusText({ action, notAfterMs, urgency }: PlannedCertificateStep): string {
  const end =
    notAfterMs === null
      ? ''
      : ` The current certificate expires on ${new Date(notAfterMs).toISOString().slice(0, 10)}.`;
  const urgent = urgency === 'late' || urgency === 'expired' ? ` **${urgency}**` : '';
  return `**${action.do}**${urgent} ${WORDS[action.do]}${end}`;
}

const WORDS: Readonly<Record<CertificateAction['do'], string>> = {
  waitForEnrollment: 'The Mac is not enrolled; its user opens the enrollment link.',
  ask: 'Odette asks the Mac for its profiles and certificates. The Mac responds when it is awake and online.',
  prove: 'The Mac reports the certificate.',
  remove: 'The Mac removes a certificate profile that is not needed.',
  deliver: 'The Mac gets a new certificate from Okta.',
  sleep: 'No action needed until the renewal.',
  waitToBeWanted: 'No certificate is needed.',
  waitForScope: 'The device is out of scope. Odette sends nothing new; the rollout removes what is there.',
  waitForUser:
    'The certificate goes into a login keychain, and no user of the Mac has logged in since it enrolled. Its user must log in.',
  waitForOkta:
    'An Okta admin suspended or deactivated the device: it gets no certificate until an Okta admin changes that.',
  end: 'No certificate is needed.',
};

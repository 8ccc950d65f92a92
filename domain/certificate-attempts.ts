// When the certificate workflow stops asking a device for a while: one that refuses its lists, or never has what it is sent. Pure.
import type { CertificateAction } from './certificate-plan.ts';

type Act = CertificateAction['do'];

/** Since anything was settled. */
export interface Attempts {
  readonly made: number;
  /** null: none. */
  readonly last: Act | null;
}

export const NO_ATTEMPTS: Attempts = { made: 0, last: null };

/** A renewal needs three: ask, deliver, ask. After a certificate that was lost its profile is removed first: five. */
const MAX_ATTEMPTS = 6;

export const isAttempt = (act: Act): boolean => act === 'ask' || act === 'remove' || act === 'deliver';

/** What did not reach the device settles everything: it is waited for without end. */
export const attemptsAfter = (before: Attempts, act: Act, isSilent: boolean): Attempts =>
  isAttempt(act) && !isSilent ? { made: before.made + 1, last: act } : NO_ATTEMPTS;

/**
 * Before the next act. What was done to the device is looked at in any case: a machine that is slow needs several deliveries until the
 * device is awake at the right moment, and the last one may have arrived.
 */
export function isWornOut({ made, last }: Attempts, next: Act): boolean {
  const looks = next === 'ask' && last !== 'ask';
  return isAttempt(next) && !looks && made >= MAX_ATTEMPTS;
}

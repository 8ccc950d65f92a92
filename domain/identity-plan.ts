// When a device's identity (the certificate with which it signs its MDM messages) is renewed: at the end of a rollout, when all else
// is as it should be. Rollouts verify each device in scope daily, so an attempt that failed is followed by one the next day.
import type { IntegrationSettings } from './integration-settings.ts';
import { renewalTime } from './renewal-policy.ts';
import type { RolloutAction, RolloutMemory, StepRequest } from './rollout-action.ts';
import { tryKeyOf } from './rollout-step.ts';

export interface PinnedIdentity {
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

export interface IdentityOwner {
  readonly deviceId: string;
  readonly settings: IntegrationSettings;
}

/** Whatever the integration's numbers say: a new one is not renewed at once, or rollouts would never end. */
const YOUNGEST_MS = 30 * 24 * 60 * 60 * 1000;

/** The window is a fraction of the certificate's life, as for Okta's: of five years, from twenty to ten months before the end. */
function isIdentityDue(
  identity: PinnedIdentity,
  { deviceId, settings }: IdentityOwner,
  nowMs: number,
): boolean {
  const { issuedAtMs, notAfterMs } = identity;
  if (nowMs < issuedAtMs + YOUNGEST_MS) return false;
  const life = { notBeforeMs: issuedAtMs, notAfterMs, provenAtMs: issuedAtMs };
  return nowMs >= renewalTime(life, settings, deviceId);
}

/** The device has everything that it can have now: only then there is time for its identity. A failure does not keep it from its renewal. */
export const isEndWithDevice = (action: RolloutAction): boolean =>
  action.do === 'fail' ||
  (action.do === 'finish' && (action.phase === 'delivered' || action.phase === 'waits_for_user'));

/**
 * What comes before the end of a rollout. `tried`: this run has sent it, and the device still has the old one; the next run sends
 * it again.
 */
export function planIdentity(
  identity: PinnedIdentity,
  owner: IdentityOwner,
  memory: RolloutMemory,
  nowMs: number,
): RolloutAction | 'not_due' | 'tried' {
  if (!isIdentityDue(identity, owner, nowMs)) return 'not_due';
  const request: StepRequest = { type: 'RenewIdentity', revision: identity.fingerprint };
  if (memory.tries[tryKeyOf(request)] !== undefined) return 'tried';
  return { do: 'send', phase: 'profiles', requests: [request] };
}

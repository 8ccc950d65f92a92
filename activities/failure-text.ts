// A failure in one paragraph: Odette's words, and beside them the command and the device's own.
import type { RefusedCommand } from '../adapters/store/devices/commands.ts';
import { deviceWords } from '../domain/device-error-classes.ts';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { rolloutFailure } from '../domain/rollout-failure.ts';

/** `The device refuses a profile. InstallProfile: SCEP server returned an invalid response (MDM-SCEP 15002).` */
export function failureTitle(code: FailureCode, refusal?: RefusedCommand): string {
  const words = refusal && deviceWords(refusal.errorChain);
  return words === undefined
    ? FAILURES[code].title
    : `${FAILURES[code].title} ${refusal?.requestType}: ${words}.`;
}

/** While Odette goes on with it. */
export const failureText = (code: FailureCode, refusal?: RefusedCommand): string =>
  `${failureTitle(code, refusal)} ${FAILURES[code].remedy}`;

/** Of a device whose rollout has ended with a failure. */
export const failedText = (code: FailureCode, refusal?: RefusedCommand): string =>
  `${failureTitle(code, refusal)} ${rolloutFailure(code).remedy}`;

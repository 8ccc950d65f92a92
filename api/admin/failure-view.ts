// A catalogued failure in words, as lists and pages show it.
import { FAILURES, isFailureCode, type FailureCode } from '../../domain/failures.ts';
import { rolloutFailure } from '../../domain/rollout-failure.ts';

export interface ShownFailure {
  readonly code: FailureCode;
  readonly title: string;
  readonly remedy: string;
  readonly owner: 'nobody' | 'admin' | 'user' | 'operator';
  readonly isRetried: boolean;
}

export function showFailure(code: FailureCode): ShownFailure {
  const { title, remedy, owner, isRetried } = FAILURES[code];
  return { code, title, remedy, owner, isRetried };
}

/** Of a stored code, which a release may no longer know. */
export const failureOrNull = (code: string | null): ShownFailure | null => {
  const known = codeOrNull(code);
  return known === null ? null : showFailure(known);
};

/** With which the rollout of a device ended. */
export const rolloutFailureOrNull = (code: string | null): ShownFailure | null => {
  const known = codeOrNull(code);
  return known === null ? null : { ...showFailure(known), ...rolloutFailure(known) };
};

export const codeOrNull = (code: string | null): FailureCode | null =>
  code === null ? null : isFailureCode(code) ? code : 'server.failed';

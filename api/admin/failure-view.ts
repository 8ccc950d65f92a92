// A catalogued failure in words, as lists and pages show it.
import { FAILURES, isFailureCode, type FailureCode } from '../../domain/failures.ts';

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
export const failureOrNull = (code: string | null): ShownFailure | null =>
  code === null ? null : showFailure(isFailureCode(code) ? code : 'server.failed');

export const codeOrNull = (code: string | null): FailureCode | null =>
  code === null ? null : isFailureCode(code) ? code : 'server.failed';

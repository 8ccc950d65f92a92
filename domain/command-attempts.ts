// How a workflow counts the attempts of a command: by enrollment, step and revision.
import type { StepRequest } from './rollout-action.ts';

/** Which enrollment the commands are for, and what tells them apart over several runs ('' in a workflow of one run). */
export interface CommandScope {
  readonly enrollmentId: string;
  readonly scope: string;
}

export interface WantedCommand {
  readonly step: string;
  readonly request: StepRequest;
}

/** Of the attempts that are over, by `attemptKey`. */
export type UsedAttempts = Readonly<Record<string, number>>;

export const attemptKey = ({ enrollmentId, scope }: CommandScope, { step, request }: WantedCommand): string =>
  `${enrollmentId}/${scope}/${step}/${'revision' in request ? request.revision : ''}`;

/** From 1. */
export const attemptOf = (used: UsedAttempts, scope: CommandScope, command: WantedCommand): number =>
  (used[attemptKey(scope, command)] ?? 0) + 1;

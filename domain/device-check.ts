// The daily check of a device that has everything: it is asked for its lists, and only a difference starts a rollout. Pure.
import { emptyMemory, type Query } from './rollout-action.ts';
import { inventoryOf, planRollout } from './rollout-plan.ts';
import type { RolloutView } from './rollout-view.ts';

const OWNER = 'check/';

/** Whom a check's commands name as theirs: no workflow. */
export const checkOwner = (deviceId: string): string => `${OWNER}${deviceId}`;
export const isOfCheck = (workflowId: string): boolean => workflowId.startsWith(OWNER);
export const checkStep = (query: Query): string => `check.${query}`;

/** Whether a device whose lists are all new is as it should be. */
export function isAsItShouldBe(view: RolloutView, nowMs: number): boolean {
  const memory = { ...emptyMemory(view.enrollmentId), fresh: inventoryOf(view) };
  const next = planRollout(view, memory, nowMs);
  return next.do === 'finish' && next.phase === 'delivered';
}

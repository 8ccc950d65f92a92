// What Temporal reports of a workflow whose task fails again and again, and what an operator does about it. Pure.

/** Of the search attribute `TemporalReportedProblems`: `category=…` and `cause=…`. */
export interface StuckWorkflow {
  readonly workflowId: string;
  readonly problems: readonly string[];
}

const NONDETERMINISTIC = 'cause=WorkflowTaskFailedCauseNonDeterministicError';
const MAX_NAMED = 3;

/** @param count how many there are in all; @param some of them, to be named */
export function stuckText(count: number, some: readonly StuckWorkflow[]): string {
  const named = some.slice(0, MAX_NAMED).map(({ workflowId }) => workflowId);
  const more = count - named.length;
  const [first] = named;
  const workflows = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const isOther = some.every(({ problems }) => problems.includes(NONDETERMINISTIC));
  return isOther
    ? `Another version of Odette started ${workflows}, and this version cannot continue. Start a worker of that version, or start again: temporal workflow reset -w ${first} --type FirstWorkflowTask --reason "other version".`
    : `A workflow task of ${workflows} fails repeatedly; the log of the worker says why. Undo the last step: temporal workflow reset -w ${first} --type LastWorkflowTask --reapply-exclude Signal --reason "its task fails".`;
}

import { expect, test } from 'vitest';
import { stuckText } from './workflow-problems.ts';

const nondeterministic = [
  'category=WorkflowTaskFailed',
  'cause=WorkflowTaskFailedCauseNonDeterministicError',
];

test('an alarm names the workflows and how many more there are, with the command for the cause', () => {
  const ids = ['rollout/1', 'rollout/2', 'rollout/3', 'rollout/4'];
  const other = stuckText(
    7,
    ids.map((workflowId) => ({ workflowId, problems: nondeterministic })),
  );
  expect(other).toContain('rollout/1, rollout/2, rollout/3 and 4 more');
  expect(other).toContain('temporal workflow reset -w rollout/1 --type FirstWorkflowTask');
  const thrown = [
    'category=WorkflowTaskFailed',
    'cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure',
  ];
  const poison = stuckText(1, [{ workflowId: 'certificate/1', problems: thrown }]);
  expect(poison).not.toContain('more');
  expect(poison).toContain('--type LastWorkflowTask --reapply-exclude Signal');
});

// The page of costs is what the recorded histories say.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { actionsOf, costsPage } from './costs-page.ts';

const event = (type: string, attributes: object = {}) => ({ eventType: `EVENT_TYPE_${type}`, ...attributes });
const marker = (task: string) =>
  event('MARKER_RECORDED', { markerRecordedEventAttributes: { workflowTaskCompletedEventId: task } });

test('actions are counted as Temporal Cloud bills them', () => {
  const started = event('WORKFLOW_EXECUTION_STARTED');
  const signaled = event('WORKFLOW_EXECUTION_SIGNALED');
  expect(actionsOf([started])).toBe(1);
  // A start with its signal is one; a signal that comes later is one of its own.
  expect(actionsOf([started, signaled])).toBe(1);
  expect(actionsOf([started, event('WORKFLOW_TASK_SCHEDULED'), signaled])).toBe(2);
  expect(actionsOf([started, marker('4'), marker('4'), marker('9')])).toBe(3);
  const retried = event('ACTIVITY_TASK_STARTED', { activityTaskStartedEventAttributes: { attempt: 3 } });
  expect(actionsOf([started, event('ACTIVITY_TASK_SCHEDULED'), retried])).toBe(4);
  expect(actionsOf([started, event('TIMER_STARTED'), event('TIMER_CANCELED')])).toBe(2);
  expect(actionsOf([started, event('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES')])).toBe(2);
});

test('docs/costs.md is counted from the histories of this version', () => {
  const page = costsPage();
  expect(page).not.toMatch(/undefined|NaN/);
  expect(readFileSync(new URL('../docs/costs.md', import.meta.url), 'utf8')).toBe(page);
});

// The page of a device's situations is what list, page and command line say.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failedText } from '../activities/failure-text.ts';
import { nextStepOf } from '../domain/next-step.ts';
import { bucketOfFailure } from '../domain/trust-bucket.ts';
import { deviceStatesPage, ENDS_OF_ROLLOUTS } from './device-states-page.ts';

test('docs/device-states.md holds what is said of each situation as it is now', () => {
  const page = deviceStatesPage();
  expect(page.split('\n').filter((line) => line.startsWith('| ')).length).toBeGreaterThan(30);
  expect(page).not.toMatch(/undefined|null/);
  const rows = page.split('\n').map((line) => line.split(' | '));
  const acting = rows.filter(([, , who = '']) => /action required/i.test(who));
  expect(acting.length).toBeGreaterThan(20);
  expect(acting.filter(([, , , sentence = '']) => sentence.includes('No action needed'))).toEqual([]);
  expect(readFileSync(new URL('../docs/device-states.md', import.meta.url), 'utf8')).toBe(page);
});

test.each(ENDS_OF_ROLLOUTS)(
  '%s has one sentence: of list, page and command line, and of the Temporal UI',
  (code) => {
    const { text } = nextStepOf({
      bucket: bucketOfFailure(code),
      obstacle: null,
      failureCode: code,
      waitsFor: null,
      isEnrolled: true,
      channelKind: 'built_in',
      lastContactAtMs: 0,
      nowMs: 0,
    });
    expect(failedText(code)).toBe(text);
    expect(deviceStatesPage()).toContain(`| \`${code}\` |`);
  },
);

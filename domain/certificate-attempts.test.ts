import { expect, test } from 'vitest';
import { attemptsAfter, isWornOut, NO_ATTEMPTS } from './certificate-attempts.ts';
import type { CertificateAction } from './certificate-plan.ts';

type Act = CertificateAction['do'];

/** How many acts are carried out before it pauses; undefined: it does not. */
function pausesAfter(acts: readonly Act[]): number | undefined {
  let attempts = NO_ATTEMPTS;
  for (const [place, act] of acts.entries()) {
    if (isWornOut(attempts, act)) return place;
    attempts = attemptsAfter(attempts, act, false);
  }
  return undefined;
}

const repeated = (times: number, ...acts: Act[]): Act[] => Array.from({ length: times }, () => acts).flat();

test.each<[string, Act[]]>([
  ['a renewal', ['ask', 'deliver', 'ask', 'prove']],
  [
    'a certificate that was lost: its profile goes first',
    ['ask', 'remove', 'ask', 'deliver', 'ask', 'prove'],
  ],
  [
    'the same on a slow machine: twice the device sleeps again before the challenge is there',
    ['ask', 'remove', 'ask', 'deliver', 'deliver', 'deliver', 'ask', 'prove'],
  ],
  [
    'six deliveries until it is awake',
    ['deliver', 'deliver', 'deliver', 'deliver', 'deliver', 'deliver', 'ask', 'prove'],
  ],
  ['renewals one after the other', repeated(10, 'ask', 'deliver', 'ask', 'prove')],
])('%s is carried on to its proof', (_what, acts) => {
  expect(pausesAfter(acts)).toBeUndefined();
});

test.each<[string, Act[], number]>([
  ['refuses its lists', repeated(9, 'ask'), 6],
  ['lists a removed profile for ever', repeated(9, 'ask', 'remove'), 7],
  ['never has what it is sent', repeated(9, 'deliver', 'ask'), 6],
  ['is asleep whenever a challenge could be fetched', repeated(9, 'deliver'), 6],
])('a device that %s is left alone for a while', (_what, acts, expected) => {
  expect(pausesAfter(acts)).toBe(expected);
});

test('a device that does not answer at all is waited for without end', () => {
  expect(attemptsAfter({ made: 5, last: 'ask' }, 'ask', true)).toEqual(NO_ATTEMPTS);
});

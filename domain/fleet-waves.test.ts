import { describe, expect, test } from 'vitest';
import {
  fleetText,
  isOrderAllowed,
  nextFleetAction,
  ordersAllowed,
  wavesOf,
  type FleetProgress,
} from './fleet-waves.ts';

const MINUTE_MS = 60_000;
const none = { ended: 0, failed: 0, begun: 0, fell: 0, reissuesHalted: false };
const progress: FleetProgress = {
  status: 'running',
  pace: 'waves',
  canary: 5,
  wave: 0,
  waveBegunMs: 0,
  settleMinutes: 30,
  inWave: { begun: 0, ended: 0 },
  waiting: 1_000,
  open: 0,
  undelivered: 0,
  evidence: none,
};
const canary = (ended: number, failed = 0): FleetProgress => ({
  ...progress,
  wave: 1,
  inWave: { begun: 5, ended },
  waiting: 995,
  open: 5 - ended,
  evidence: { ...none, begun: 5, ended, failed },
});

describe('waves', () => {
  test('grow from the canary and together are all devices', () => {
    expect(wavesOf(1_000, 5)).toEqual([5, 20, 80, 320, 575]);
    expect(wavesOf(21, 3)).toEqual([3, 12, 6]);
    expect(wavesOf(100_000, 20).reduce((sum, size) => sum + size, 0)).toBe(100_000);
    expect(Math.max(...wavesOf(100_000, 20))).toBe(5_000);
  });

  test('begin with the canary, and go on when all of it has ended', () => {
    expect(nextFleetAction(progress, 0)).toEqual({ do: 'begin', devices: 5 });
    expect(nextFleetAction(canary(4), MINUTE_MS).do).toBe('wait');
    expect(nextFleetAction(canary(5), MINUTE_MS)).toEqual({ do: 'begin', devices: 20 });
  });

  test('do not go on while no device of the canary has ended, however long it takes', () => {
    expect(nextFleetAction(canary(0), 30 * 24 * 60 * MINUTE_MS).do).toBe('wait');
  });

  test('leave sleeping devices behind after a while, if half of the wave has ended', () => {
    expect(nextFleetAction(canary(2), 31 * MINUTE_MS).do).toBe('wait');
    expect(nextFleetAction(canary(3), 31 * MINUTE_MS)).toEqual({ do: 'begin', devices: 20 });
  });

  test('look less often at a wave that is old', () => {
    expect(nextFleetAction(canary(2), 0)).toEqual({ do: 'wait', seconds: 5 });
    expect(nextFleetAction(canary(2), 10 * MINUTE_MS)).toEqual({ do: 'wait', seconds: 60 });
    expect(nextFleetAction(canary(0), 10_000 * MINUTE_MS)).toEqual({ do: 'wait', seconds: 600 });
  });

  test('end when every device has, and not before', () => {
    const last = { ...canary(4), waiting: 0 };
    expect(nextFleetAction({ ...last, open: 1 }, MINUTE_MS).do).toBe('wait');
    expect(nextFleetAction({ ...last, open: 0 }, MINUTE_MS)).toEqual({ do: 'complete' });
    expect(nextFleetAction({ ...last, open: 0, status: 'halted' }, MINUTE_MS)).toEqual({ do: 'complete' });
    expect(nextFleetAction({ ...last, open: 0, status: 'aborted' }, MINUTE_MS)).toEqual({ do: 'end' });
  });
});

describe('a halt', () => {
  test('comes with the first failure of the canary', () => {
    expect(nextFleetAction(canary(3, 1), MINUTE_MS)).toEqual({
      do: 'halt',
      halt: { reason: 'canary_failed', devices: 1, of: 3 },
    });
  });

  const later = (evidence: Partial<FleetProgress['evidence']>): FleetProgress => ({
    ...progress,
    wave: 3,
    inWave: { begun: 80, ended: 80 },
    waiting: 895,
    evidence: { ...none, begun: 105, ended: 105, ...evidence },
  });
  test.each([
    [{ failed: 5 }, 'begin'],
    [{ failed: 6 }, 'halt'],
    [{ ended: 20, failed: 2 }, 'begin'],
    [{ ended: 20, failed: 3 }, 'halt'],
    [{ fell: 5 }, 'begin'],
    [{ fell: 6 }, 'halt'],
    [{ reissuesHalted: true }, 'halt'],
  ])('of a later wave: %j → %s', (evidence, action) => {
    expect(nextFleetAction(later(evidence), MINUTE_MS).do).toBe(action);
  });

  test('comes even while devices of the wave are under way', () => {
    const underWay = { ...later({ ended: 40, failed: 10 }), inWave: { begun: 80, ended: 15 }, open: 65 };
    expect(nextFleetAction(underWay, MINUTE_MS).do).toBe('halt');
  });

  test('does not come at full pace: the change is in force already', () => {
    expect(nextFleetAction({ ...canary(5, 5), pace: 'full' }, MINUTE_MS)).toEqual({
      do: 'begin',
      devices: 200,
    });
  });
});

test('full pace waits for the relay, so that a pause still finds devices', () => {
  expect(nextFleetAction({ ...progress, pace: 'full', undelivered: 150 }, 0)).toEqual({
    do: 'wait',
    seconds: 2,
  });
});

test.each(['paused', 'halted'] as const)('%s: nothing begins', (status) => {
  expect(nextFleetAction({ ...canary(5), status }, 100 * MINUTE_MS).do).toBe('wait');
});

test('orders are those that change something', () => {
  expect(ordersAllowed('running')).toEqual(['pause', 'all_at_once', 'abort']);
  expect(ordersAllowed('halted')).toEqual(['resume', 'all_at_once', 'abort']);
  expect(ordersAllowed('completed')).toEqual([]);
  expect(isOrderAllowed('resume', 'aborted')).toBe(false);
});

test('people read where it is', () => {
  expect(fleetText(canary(3), null)).toBe('Canary: 3 of 5 devices finished, 995 to go.');
  expect(
    fleetText({ ...canary(3, 1), status: 'halted' }, { reason: 'canary_failed', devices: 1, of: 3 }),
  ).toBe('Halted: 1 of 3 devices of the canary failed. 995 devices wait until someone resumes the change.');
});

// Every row of the table of device errors: what a rollout does about it once, and what it comes to when it lasts. The plan and what a
// rollout learns are the product's; the device is on paper, and so is its clock.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { classify, type DeviceErrorClass } from '../domain/device-error-classes.ts';
import type { FailureCode } from '../domain/failures.ts';
import { HOUR_MS } from '../domain/patience.ts';
import { emptyMemory } from '../domain/rollout-action.ts';
import { ERROR_CASES, type DeviceError } from '../test/harness/error-cases.ts';
import { PaperDevice } from '../test/harness/paper-device.ts';
import { withoutFailures } from './rollout-sending.ts';

const PATIENCE_HOURS = 48;
/** What a rollout comes to that meets the error for ever, after so many hours; a code that ends no rollout has a phase beside it. */
interface End {
  readonly end: 'failed' | 'waits_for_user';
  readonly code?: FailureCode;
  readonly fromHours: number;
  readonly toHours: number;
}

/** A wait of six hours, and its jitter, may be the one that ends the patience. */
const within = (hours: number) => ({ fromHours: hours, toHours: hours + 7.5 });
const AT_ONCE = { fromHours: 0, toHours: 0.01 };

const LASTING: Readonly<Record<DeviceErrorClass, (failure: FailureCode) => End>> = {
  on_its_way: (failure) => {
    if (failure === 'mdm.app_already_installed') return { end: 'waits_for_user', code: failure, ...AT_ONCE };
    if (failure === 'mdm.app_on_its_way') return { end: 'failed', code: failure, ...within(PATIENCE_HOURS) };
    // Said to be absent, and listed all the same.
    return { end: 'failed', code: 'mdm.profile_refused', ...within(24) };
  },
  passes: (code) => ({ end: 'failed', code, ...within(PATIENCE_HOURS) }),
  needs_license: (code) =>
    code === 'mdm.app_needs_account'
      ? { end: 'failed', code, ...AT_ONCE }
      : { end: 'failed', code, ...within(PATIENCE_HOURS) },
  needs_challenge: (code) => ({ end: 'failed', code, ...within(PATIENCE_HOURS) }),
  // Asked on three days.
  needs_user: () => ({ end: 'waits_for_user', fromHours: 48, toHours: 49 }),
  permanent: (code) => ({ end: 'failed', code, ...AT_ONCE }),
  unknown: (code) => ({ end: 'failed', code, ...within(24) }),
};

/** A rollout that the error ends at once: the check of the next day finds its cause gone. */
const ENDS_AT_ONCE: readonly DeviceErrorClass[] = ['permanent'];

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-25T12:00:00Z'), toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('every row of the table of device errors', () => {
  test.each(ERROR_CASES)(
    '$name is read by its own row, whatever wraps it',
    ({ requestType, errorChain, rejectionReason, row }) => {
      expect(classify(requestType, errorChain, rejectionReason)).toMatchObject({
        class: row.class,
        failure: row.failure,
      });
      const cause = errorChain.at(-1);
      if (cause !== undefined) expect(classify(requestType, [cause])).toBe(classify(requestType, errorChain));
    },
  );

  test.each(ERROR_CASES)(
    '$name: once, the device ends with everything, and nobody was needed',
    async (each) => {
      const device = new PaperDevice(each, 1);
      const first = await device.rollOut(PATIENCE_HOURS);
      expect(device.left).toBe(0);
      const goesOn =
        !ENDS_AT_ONCE.includes(each.row.class) && each.row.failure !== 'mdm.app_already_installed';
      if (goesOn) expect(first).toMatchObject({ phase: 'delivered' });
      // The daily check.
      expect(await device.rollOut(PATIENCE_HOURS)).toMatchObject({ phase: 'delivered' });
      expect(device.isComplete).toBe(true);
    },
  );

  test.each(ERROR_CASES)(
    '$name: for ever, it comes to its stated end, is not repeated without pause, and heals once its cause is gone',
    async (each) => {
      const { end, code, fromHours, toHours } = LASTING[each.row.class](each.row.failure);
      const device = new PaperDevice(each, Infinity);
      const last = await device.rollOut(PATIENCE_HOURS);
      expect(last).toMatchObject({ phase: end, ...(code !== undefined && { code }) });
      expect(last.hours).toBeGreaterThanOrEqual(fromHours);
      expect(last.hours).toBeLessThanOrEqual(toHours);
      // Never three times within thirty seconds.
      const { refusedAtMs } = device;
      for (const [index, at] of refusedAtMs.entries())
        expect((refusedAtMs[index + 2] ?? Infinity) - at).toBeGreaterThan(30_000);
      expect(refusedAtMs.length).toBeLessThan(30);
      device.mend();
      vi.setSystemTime(Date.now() + 24 * HOUR_MS);
      expect(await device.rollOut(PATIENCE_HOURS)).toMatchObject({ phase: 'delivered' });
      expect(device.isComplete).toBe(true);
    },
  );
});

test.each(ERROR_CASES.filter(({ row }) => row.class === 'passes' || row.class === 'needs_license'))(
  '$name: four times, it is retried over minutes until it has passed, and nobody was needed',
  async (each) => {
    const device = new PaperDevice(each, each.row.failure === 'mdm.app_needs_account' ? 1 : 4);
    const { phase, hours } = await device.rollOut(PATIENCE_HOURS);
    expect(phase).toBe('delivered');
    expect(hours).toBeLessThan(1);
    expect(device.left).toBe(0);
  },
);

const app = (domain: string, code: number): DeviceError => ({
  requestType: 'InstallApplication',
  errorChain: [{ domain, code, description: '' }],
});

test('a store login that is required after other errors: the license is assigned anew before an account is asked for', async () => {
  const device = new PaperDevice(app('NSURLErrorDomain', -1001), 2);
  device.thenBreaks(app('MCMDMErrorDomain', 12_040), 1);
  expect(await device.rollOut(PATIENCE_HOURS)).toMatchObject({ phase: 'delivered' });
  expect(device.licensesAssigned).toBe(1);
});

test('an app that is on its way, and then is refused, is not waited for: it is sent again', async () => {
  const device = new PaperDevice(app('ASDErrorDomain', 506), 1);
  device.thenBreaks(app('NSURLErrorDomain', -1001), 1);
  const { phase, hours } = await device.rollOut(PATIENCE_HOURS);
  expect(phase).toBe('delivered');
  expect(hours).toBeLessThan(0.1);
});

test('an app that the device says is on its way, and is checked meanwhile, is sent again', () => {
  const failure = 'mdm.app_on_its_way';
  const onItsWay = { count: 1, sinceMs: 0, dueAtMs: 15_000, failure, inARow: 1 } as const;
  const memory = { ...emptyMemory('e1', 'ready'), appSent: true, tries: { app: onItsWay } };
  expect(withoutFailures(memory)).toMatchObject({ appSent: false, tries: {} });
  const accepted = { ...onItsWay, failure: null };
  expect(withoutFailures({ ...memory, tries: { app: accepted } })).toMatchObject({ appSent: true });
});

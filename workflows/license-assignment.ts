// Gets the license beside everything else, for only the app waits for it; and gives it back.
import { condition } from '@temporalio/workflow';
import { FAILURES, type FailureCode } from '../domain/failures.ts';
import { licenseDelayMs } from '../domain/patience.ts';
import type { RolloutMemory } from '../domain/rollout-action.ts';
import { failureCodeBeside, failureCodeOfActivity } from './failure.ts';
import { inPassing } from './in-passing.ts';
import { appsAndBooks, database, localTry } from './policies.ts';
import type { ResetPoint } from './reset-point.ts';

const SUMMARY = 'license of Okta Verify';

export class LicenseAssignment {
  readonly #deviceId: string;
  readonly #settled: (license: RolloutMemory['license']) => void;
  readonly #changes: () => number;
  readonly #resetPoint: ResetPoint;
  /** An activity looks for it. */
  #isOut = false;
  /** Not yet begun. */
  #started: { readonly isMissed: boolean; readonly patienceMs: number } | undefined;

  /**
   * @param changes rises when somebody asks for another look
   * @param settled is called with `ready`, or why there will be none
   */
  constructor(
    deviceId: string,
    changes: () => number,
    settled: (license: RolloutMemory['license']) => void,
    resetPoint: ResetPoint,
  ) {
    this.#deviceId = deviceId;
    this.#changes = changes;
    this.#settled = settled;
    this.#resetPoint = resetPoint;
  }

  /**
   * From `begin` on.
   * @param isMissed the device found no license although one was assigned
   * @param patienceMs how long Apps and Books may not work, before what it said last is why there is none
   */
  start(isMissed: boolean, patienceMs: number): void {
    if (this.#isOut) return;
    this.#settled('pending');
    this.#started = { isMissed, patienceMs };
  }

  /**
   * Asks Apple in passing. What it assigns takes seconds, and is looked at by the plan that could send the app; why it does not is told beside
   * everything else.
   */
  async begin(): Promise<void> {
    if (this.#started === undefined) return;
    const { isMissed, patienceMs } = this.#started;
    this.#started = undefined;
    const seen = await inPassing(
      localTry.appsAndBooks.assignLicense.executeWithOptions({ summary: SUMMARY }, [
        { deviceId: this.#deviceId, isMissed, isInPassing: true },
      ]),
    );
    if (seen?.kind === 'ready') this.#settled('ready');
    else if (seen?.kind === 'not_wanted') this.#settled('unasked');
    else if (seen?.kind !== 'pending') this.#lookFor(isMissed, patienceMs);
  }

  /** Only the app is left, and waits for it. */
  wait(patienceMs: number): void {
    if (!this.#isOut) this.#lookFor(false, patienceMs);
  }

  #lookFor(isMissed: boolean, patienceMs: number): void {
    this.#isOut = true;
    this.#run(isMissed, patienceMs).then(
      (license) => this.#end(license),
      (error: unknown) => {
        const code = failureCodeBeside(error);
        if (code !== undefined) this.#end(code);
      },
    );
  }

  /** One that is still on its way to the device is waited for: it would come after it was given back. */
  async returnLicense(patienceMs: number, isInterrupted: () => boolean): Promise<void> {
    await condition(() => !this.#isOut || isInterrupted(), patienceMs, {
      summary: 'Apple assigns the license',
    });
    for (let look = 0; !isInterrupted(); look += 1) {
      const { outcome } = await this.#carriedOut(
        appsAndBooks.returnLicense.executeWithOptions(
          { summary: 'returns the Okta Verify license', scheduleToCloseTimeout: patienceMs },
          [{ deviceId: this.#deviceId, nowMs: Date.now() }],
        ),
      );
      if (outcome.kind === 'settled') return this.#settled('unasked');
      await condition(isInterrupted, licenseDelayMs(look, false), {
        summary: 'Apple takes the license back',
      });
    }
  }

  /** Of an activity that was scheduled just now. */
  async #carriedOut<Outcome>(
    carriedOut: Promise<Outcome>,
  ): Promise<{ readonly outcome: Outcome; readonly fails: (code: FailureCode) => void }> {
    const fails = this.#resetPoint.schedules();
    try {
      return { outcome: await carriedOut, fails };
    } catch (error) {
      fails(failureCodeOfActivity(error));
      throw error;
    }
  }

  #end(license: RolloutMemory['license']): void {
    this.#isOut = false;
    this.#settled(license);
  }

  async #run(isMissed: boolean, patienceMs: number): Promise<'ready' | 'unasked'> {
    for (let look = 0; ; look += 1) {
      const seen = this.#changes();
      const { outcome, fails } = await this.#carriedOut(
        appsAndBooks.assignLicense.executeWithOptions(
          { summary: SUMMARY, scheduleToCloseTimeout: patienceMs },
          [{ deviceId: this.#deviceId, isMissed: isMissed && look === 0 }],
        ),
      );
      if (outcome.kind === 'ready') return 'ready';
      if (outcome.kind === 'not_wanted') return 'unasked';
      // With the patience at its end a reset looks again, and does not wait for the next look.
      fails('apps_and_books.no_license_left');
      const noneLeft = outcome.kind === 'none_left';
      if (noneLeft) {
        const { title, remedy } = FAILURES['apps_and_books.no_license_left'];
        await database.recordWaitsFor({
          deviceId: this.#deviceId,
          waitsFor: `${title} ${remedy}`,
          nowMs: Date.now(),
        });
      }
      await condition(() => this.#changes() !== seen, licenseDelayMs(look, noneLeft), {
        summary: noneLeft ? 'waits for a license' : 'license is assigned',
      });
    }
  }
}

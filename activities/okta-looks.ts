// Has Okta asked about single devices soon, where the sweep would come late: what was just delivered, and what a person wants to know.
import {
  claimWake,
  findDueLooks,
  planWake,
  postponeLooks,
  recordLooks,
  saveLook,
} from '../adapters/store/integration/okta-looks.ts';
import { oktaTrustPollStart } from '../workflows/starts.ts';
import { oktaLooksWantedSignal } from '../workflows/messages.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { lookUpDevice } from './trust.ts';

/** As many as Okta may be asked about at once. */
const AT_ONCE = 8;
/** After a look that Okta did not answer. */
const POSTPONED_SECONDS = 60;

export function oktaLooks(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /**
     * Looks up the devices whose time it is, a few of them. Returns in how many milliseconds the next one is due; null: none is left.
     * @throws what Okta refused first; whoever it refused is asked about a minute later
     */
    async lookUpDueDevices(input: {
      readonly integrationId: string;
      readonly nowMs: number;
    }): Promise<{ readonly leftMs: number | null }> {
      const { integrationId, nowMs } = input;
      const due = await findDueLooks(database, integrationId, AT_ONCE);
      const looked = await Promise.allSettled(
        due.map(async (deviceId) => ({
          deviceId,
          isSettled: await lookUpDevice(deps, { deviceId, integrationId, nowMs }),
        })),
      );
      const answered = looked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      if (answered.length > 0) await recordLooks(database, answered);
      const refused = looked.find((each) => each.status === 'rejected');
      if (refused === undefined) return { leftMs: await planWake(database, integrationId) };
      const left = due.filter((_, index) => looked[index]?.status === 'rejected');
      await postponeLooks(database, left, POSTPONED_SECONDS);
      throw refused.reason;
    },
  };
}

/** A device that has just got what it needs: it turns green while the admin watches. */
export async function lookSoon(
  { database, temporal }: Pick<ActivityDependencies, 'database' | 'temporal'>,
  {
    deviceId,
    integrationId,
    seconds,
    eventId,
  }: {
    readonly deviceId: string;
    readonly integrationId: string;
    readonly seconds: readonly [number, ...number[]];
    readonly eventId: string;
  },
): Promise<void> {
  await saveLook(database, { deviceId, integrationId, seconds, isWish: false });
  if (!(await claimWake(database, integrationId, seconds[0]))) return;
  const { type, options } = oktaTrustPollStart(integrationId);
  await temporal.workflow.signalWithStart(type, {
    ...options,
    // Until the first look there is nothing to do.
    startDelay: seconds[0] * 1000,
    signal: oktaLooksWantedSignal,
    signalArgs: [{ eventId }],
  });
}

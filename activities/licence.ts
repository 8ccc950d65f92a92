// A licence of Okta Verify for one device: asked for once, then looked at until Apple has assigned it.
import type { Asset } from '../adapters/apps-and-books/apps-and-books-client.ts';
import { findLicence, recordLicence } from '../adapters/store/licences.ts';
import { readDeviceState } from '../adapters/store/rollout-state.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import type { ActivityDependencies } from './dependencies.ts';

export type LicenceOutcome =
  | { readonly kind: 'ready' }
  /** Apple is still working on it. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'none_left' };

/** An association takes seconds: waiting inside the activity spares a rollout its timers. Milliseconds. */
const LOOKS_MS = [50, 150, 300, 500, 1000, 1000];
const { adamId } = OKTA_VERIFY;

export function licenceActivities(deps: ActivityDependencies) {
  const { database } = deps;
  return {
    /**
     * `isMissed`: the device found none although it was assigned, so it is asked for anew.
     * @throws `apps_and_books.*`; an association that Apple could not make is `apps_and_books.association_failed`
     */
    async assignLicence(input: {
      readonly deviceId: string;
      readonly isMissed: boolean;
    }): Promise<LicenceOutcome> {
      const { deviceId } = input;
      const state = await readDeviceState(database, deviceId);
      if (state?.serialNumber === null || state === undefined) return { kind: 'pending' };
      const known = await findLicence(database, deviceId, adamId);
      if (known?.state === 'associated' && !input.isMissed) return { kind: 'ready' };
      const client = await deps.appsAndBooks();
      const record = (
        to: 'associating' | 'associated' | 'failed',
        eventId: string | null,
        failureCode: FailureCode | null = null,
      ) => recordLicence(database, deviceId, adamId, { state: to, eventId, failureCode });

      let eventId = known?.state === 'associating' ? known.eventId : null;
      if (eventId === null) {
        if (await client.isAssigned(adamId, state.serialNumber)) {
          await record('associated', null);
          return { kind: 'ready' };
        }
        const asset = usableAsset(await client.asset(adamId), state.platform);
        if (asset === undefined) {
          await record('failed', null, 'apps_and_books.no_licence_left');
          return { kind: 'none_left' };
        }
        const asked = await client.associate({
          adamId,
          pricingParam: asset.pricingParam,
          serialNumbers: [state.serialNumber],
        });
        eventId = asked.eventId;
        await record('associating', eventId);
      }
      for (const waitMs of LOOKS_MS) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        const event = await client.status(eventId);
        if (event.state === 'complete') {
          await record('associated', eventId);
          return { kind: 'ready' };
        }
        if (event.state === 'failed') {
          await record('failed', eventId, event.error.code);
          if (event.error.code === 'apps_and_books.no_licence_left') return { kind: 'none_left' };
          throw event.error;
        }
      }
      return { kind: 'pending' };
    },
  };
}

/** One asset for each platform and pricing: the one that fits and has a licence left. Apple does not always say the platform. */
function usableAsset(assets: readonly Asset[], platform: 'macOS' | 'iOS'): Asset | undefined {
  const fitting = assets.filter(
    ({ isDeviceAssignable, platforms }) =>
      isDeviceAssignable && (platforms.length === 0 || platforms.includes(platform)),
  );
  if (assets.length > 0 && !assets.some(({ isDeviceAssignable }) => isDeviceAssignable))
    throw new CataloguedError('apps_and_books.association_failed');
  return fitting.find(({ available }) => available > 0);
}

// A licence of Okta Verify for one device: asked for once, then looked at until Apple has assigned it.
import type { Asset } from '../adapters/apps-and-books/apps-and-books-client.ts';
import { findLicence, recordLicence } from '../adapters/store/licences.ts';
import { readDeviceState } from '../adapters/store/rollout-state.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { notingHealth } from './connection-health.ts';
import type { ActivityDependencies } from './dependencies.ts';

export type LicenceOutcome =
  | { readonly kind: 'ready' }
  /** Apple is still working on it. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'none_left' };

/** An association takes seconds: waiting inside the activity spares a rollout its timers. Milliseconds. */
const LOOKS_MS = [50, 150, 300, 500, 1000, 1000];
const { adamId } = OKTA_VERIFY;

type Client = Awaited<ReturnType<ActivityDependencies['appsAndBooks']>>;
/** What Apple refused is an outcome of a connection that works. */
type Answer = LicenceOutcome | { readonly kind: 'refused'; readonly error: CataloguedError };

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
      if (state === undefined || state.serialNumber === null) return { kind: 'pending' };
      const known = await findLicence(database, deviceId, adamId);
      if (known?.state === 'associated' && !input.isMissed) return { kind: 'ready' };
      const { serialNumber, platform, integrationId } = state;
      const eventId = known?.state === 'associating' ? known.eventId : null;
      const asked = async () => ask(await deps.appsAndBooks(), { deviceId, serialNumber, platform, eventId });
      const answer =
        integrationId === null
          ? await asked()
          : await notingHealth(database, integrationId, 'apps_and_books', asked);
      if (answer.kind === 'refused') throw answer.error;
      return answer;
    },
  };

  /** `eventId`: of an association that was asked for before. */
  async function ask(
    client: Client,
    given: {
      readonly deviceId: string;
      readonly serialNumber: string;
      readonly platform: 'macOS' | 'iOS';
      readonly eventId: string | null;
    },
  ): Promise<Answer> {
    const { deviceId, serialNumber } = given;
    const record = (
      to: 'associating' | 'associated' | 'failed',
      event: string | null,
      failureCode: FailureCode | null = null,
    ) => recordLicence(database, deviceId, adamId, { state: to, eventId: event, failureCode });

    let { eventId } = given;
    if (eventId === null) {
      if (await client.isAssigned(adamId, serialNumber)) {
        await record('associated', null);
        return { kind: 'ready' };
      }
      const assets = await client.asset(adamId);
      if (assets.length > 0 && !assets.some(({ isDeviceAssignable }) => isDeviceAssignable))
        return { kind: 'refused', error: new CataloguedError('apps_and_books.association_failed') };
      const asset = usableAsset(assets, given.platform);
      if (asset === undefined) {
        await record('failed', null, 'apps_and_books.no_licence_left');
        return { kind: 'none_left' };
      }
      const { pricingParam } = asset;
      ({ eventId } = await client.associate({ adamId, pricingParam, serialNumbers: [serialNumber] }));
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
        const { error } = event;
        await record('failed', eventId, error.code);
        return error.code === 'apps_and_books.no_licence_left'
          ? { kind: 'none_left' }
          : { kind: 'refused', error };
      }
    }
    return { kind: 'pending' };
  }
}

/** One asset for each platform and pricing: the one that fits and has a licence left. Apple does not always say the platform. */
function usableAsset(assets: readonly Asset[], platform: 'macOS' | 'iOS'): Asset | undefined {
  return assets.find(
    ({ isDeviceAssignable, platforms, available }) =>
      isDeviceAssignable && available > 0 && (platforms.length === 0 || platforms.includes(platform)),
  );
}

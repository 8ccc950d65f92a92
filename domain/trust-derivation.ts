// The five truths of a device, derived from what it and Okta said. Pure: the same facts give the same truths.
import {
  appliesTo,
  TRUTHS,
  type Truth,
  type TruthObservation,
  type TruthState,
  type TruthStates,
} from './trust.ts';
import { isManagedApp, isRefusedApp, type RolloutView } from './rollout-view.ts';

/** How a record of Okta's was matched to a device. */
export type OktaMatch = 'serial_number' | 'user_and_model' | 'ambiguous';

/** What Okta says of the device, from its own record; null: there is none (yet). */
export interface OktaFacts {
  readonly match: OktaMatch;
  readonly registered: boolean;
  /** Login names whose management status is MANAGED. */
  readonly managedUsers: readonly string[];
  readonly status: string;
}

export interface TrustFacts {
  readonly view: RolloutView;
  readonly okta: OktaFacts | null;
  /** When Okta last said MANAGED lies before the newest certificate was proven. */
  readonly certificateIsNewerThanManaged: boolean;
  readonly userName: string | null;
}

export function deriveTruths(facts: TrustFacts): TruthObservation[] {
  return TRUTHS.map((truth) => {
    if (!appliesTo(truth, facts.view.platform))
      return { truth, state: 'not_applicable', evidence: 'iPhone and iPad get no certificate.' };
    return { truth, ...derive[truth](facts) };
  });
}

interface Derived {
  readonly state: TruthState;
  readonly evidence: string;
}
const held = (evidence: string): Derived => ({ state: 'held', evidence });
const notHeld = (evidence: string): Derived => ({ state: 'not_held', evidence });
const unknown = (evidence: string): Derived => ({ state: 'unknown', evidence });

const derive: Readonly<Record<Truth, (facts: TrustFacts) => Derived>> = {
  delivered({ view }) {
    const { desired, reported } = view;
    if (desired === null) return notHeld('The device is not in scope.');
    if (reported.profiles === null) return unknown('The device has not listed its profiles yet.');
    const isThere = (identifier: string, uuid: string) =>
      reported.profiles?.some((profile) => profile.identifier === identifier && profile.uuid === uuid) ===
      true;
    const missing = desired.profiles.filter((wanted) => !isThere(wanted.identifier, wanted.payloadUuid));
    if (missing.length > 0)
      return notHeld(`Not listed by the device: ${missing.map(({ kind }) => `${kind} profile`).join(', ')}.`);
    if (desired.wantsCertificate && !view.hasCertificate)
      return notHeld('The device does not list a valid certificate and its profile.');
    if (
      desired.appConfigurationRevision !== null &&
      reported.appConfigurationRevision !== desired.appConfigurationRevision
    )
      return notHeld('The app configuration was not read back from the device yet.');
    return held('The device lists every profile in its newest revision.');
  },
  certificatePresent({ view }) {
    if (view.reported.certificates === null)
      return unknown('The device has not listed its certificates yet.');
    return view.hasCertificate
      ? held('The device lists the certificate of the newest delivery.')
      : notHeld('The device lists no valid certificate of this integration.');
  },
  oktaVerifyManaged({ view }) {
    const { appStatus } = view.reported;
    if (isManagedApp(appStatus)) return held('The device lists Okta Verify as managed.');
    if (view.appRefusals > 0 || isRefusedApp(appStatus)) return notHeld('The user refused Okta Verify.');
    if (view.reported.appIsForeign)
      return notHeld('Okta Verify on this Mac is not the one of the App Store.');
    if (appStatus !== null) return notHeld(`The device says of Okta Verify: ${appStatus}.`);
    return view.reported.profiles === null
      ? unknown('The device has not listed its apps yet.')
      : notHeld('The device does not list Okta Verify.');
  },
  registered({ okta }) {
    if (okta === null) return notHeld('Okta has no record of this device.');
    if (okta.match === 'ambiguous')
      return unknown('Okta has several records like this one; they cannot be told apart.');
    return okta.registered && okta.status === 'ACTIVE'
      ? held(`Okta lists the device as registered (${matchText[okta.match]}).`)
      : notHeld(`Okta lists the device as ${okta.status.toLowerCase()}, not registered.`);
  },
  managed({ okta, userName, certificateIsNewerThanManaged }) {
    if (okta === null) return notHeld('Okta has no record of this device.');
    if (okta.match === 'ambiguous')
      return unknown('Okta has several records like this one; they cannot be told apart.');
    const user = managedUserOf(okta, userName);
    if (user === undefined)
      return notHeld('Okta says NOT_MANAGED: nobody has signed in with FastPass since.');
    const newer = certificateIsNewerThanManaged ? '; the new certificate is not yet known to be used' : '';
    return held(`Okta says MANAGED for ${user} (${matchText[okta.match]})${newer}.`);
  },
};

const matchText: Readonly<Record<OktaMatch, string>> = {
  serial_number: 'matched by serial number',
  user_and_model: 'matched by user and model',
  ambiguous: 'cannot be told apart',
};

function managedUserOf(okta: OktaFacts, userName: string | null): string | undefined {
  if (okta.status !== 'ACTIVE') return undefined;
  if (userName === null) return okta.managedUsers[0];
  return okta.managedUsers.find((login) => login.toLowerCase() === userName.toLowerCase());
}

export const statesOf = (observations: readonly TruthObservation[]): TruthStates =>
  Object.fromEntries(observations.map(({ truth, state }) => [truth, state])) as TruthStates;

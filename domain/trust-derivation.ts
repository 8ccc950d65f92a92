// The five truths of a device, derived from what it and Okta said. Pure: the same facts give the same truths.
import {
  appliesTo,
  TRUTHS,
  type Truth,
  type TruthObservation,
  type TruthState,
  type TruthStates,
} from './trust.ts';
import type { CertificateUse } from './certificate-use.ts';
import { MATCH_TEXT, type OktaFacts, type OktaFinding } from './okta-finding.ts';
import { isManagedApp, isRefusedApp, type RolloutView } from './rollout-view.ts';

export interface TrustFacts {
  readonly view: RolloutView;
  readonly okta: OktaFacts | null;
  /** Of the same facts. */
  readonly finding: OktaFinding;
  /** Of the newest certificate on the device; null: there is none. */
  readonly certificateUse: CertificateUse | null;
}

export function deriveTruths(facts: TrustFacts): TruthObservation[] {
  return TRUTHS.map((truth) => {
    if (!appliesTo(truth, facts.view.platform))
      return { truth, state: 'not_applicable', evidence: 'iPhones and iPads get no certificate.' };
    return { truth, ...derive[truth](facts) };
  });
}

const USE_TEXT: Readonly<Record<CertificateUse, string>> = {
  none: 'Odette knows of no sign-in with the newest certificate.',
  probable: 'A sign-in has probably used the newest certificate.',
  proven: 'A sign-in has used the newest certificate.',
};

const channelOf = ({ desired }: RolloutView): string =>
  desired?.certificateScope === 'User' ? 'The user of the Mac' : 'The device';

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
    if (desired === null) return notHeld('The device is out of scope.');
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
      return notHeld('The device has not reported its app configuration yet.');
    return held('The device lists every profile in its newest revision.');
  },
  certificatePresent({ view }) {
    if (view.reported.certificates === null)
      return unknown(`${channelOf(view)} has not listed its certificates yet.`);
    return view.hasCertificate
      ? held('The device lists the certificate of the newest delivery.')
      : notHeld('The device lists no valid certificate of this integration.');
  },
  oktaVerifyManaged({ view }) {
    const { appStatus } = view.reported;
    if (isManagedApp(appStatus)) return held('The device lists Okta Verify as managed.');
    if (view.desired?.appComesFromElsewhere === true) return fromElsewhere(view.reported);
    if (view.appRefusals > 0 || isRefusedApp(appStatus)) return notHeld('The user declined Okta Verify.');
    if (view.reported.appIsForeign)
      return notHeld('Okta Verify on this Mac was not installed from the App Store.');
    if (appStatus !== null) return notHeld(`The device reports Okta Verify as: ${appStatus}.`);
    return view.reported.profiles === null
      ? unknown('The device has not listed its apps yet.')
      : notHeld('The device does not list Okta Verify.');
  },
  registered({ okta, finding }) {
    if (finding.kind === 'records_alike' || finding.kind === 'user_unknown') return unknown(finding.evidence);
    if (okta === null || finding.kind === 'not_registered' || isInactive(finding))
      return notHeld(finding.evidence);
    return held(`Okta lists the device as registered (${MATCH_TEXT[okta.match]}).`);
  },
  managed({ finding, certificateUse }) {
    if (finding.kind === 'records_alike' || finding.kind === 'user_unknown') return unknown(finding.evidence);
    if (finding.kind !== 'managed') return notHeld(finding.evidence);
    const use = certificateUse === null ? '' : ` ${USE_TEXT[certificateUse]}`;
    return held(`${finding.evidence}${use}`);
  },
};

function fromElsewhere({ appIsInstalled, appIsForeign }: RolloutView['reported']): Derived {
  if (!appIsInstalled) return notHeld('Okta Verify comes from elsewhere and is not on this Mac yet.');
  return held(`Okta Verify is present (${appIsForeign ? 'package' : 'App Store'}); it comes from elsewhere.`);
}

const isInactive = ({ kind }: OktaFinding): boolean => kind === 'suspended' || kind === 'deactivated';

export const statesOf = (observations: readonly TruthObservation[]): TruthStates =>
  Object.fromEntries(observations.map(({ truth, state }) => [truth, state])) as TruthStates;

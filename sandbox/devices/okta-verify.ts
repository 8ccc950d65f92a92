// What Okta Verify does with what was delivered to the device, and with nothing else. Pure: reads the device's state.
import { createHash } from 'node:crypto';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { isDict } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { configurationOf, findApp, isManaged, isPresent } from './apps.ts';
import type { DeviceState } from './device-state.ts';
import { certificateOf } from './keychain.ts';
import { hostsOf, installedPayloads, textOf } from './profiles.ts';

const MAC_DOMAINS = [OKTA_VERIFY.bundleId, OKTA_VERIFY.ssoExtension] as const;
/** Both words are in use (ProfileManifests; Kandji's template). */
const SILENT = ['SilentEnrollmentEnabled', 'Enabled'];

export interface OktaVerifySetup {
  readonly isInstalled: boolean;
  /** Where it registers without asking its user; absent: the user must know and type it. */
  readonly orgUrl?: string;
  /** Starts by itself when an unregistered device meets Okta. */
  readonly launchesByItself: boolean;
  readonly startsAtLogin: boolean;
  /** macOS keeps its background items allowed, whatever the user says. */
  readonly isKeptAllowed: boolean;
  /** iOS: the secret that it shows; absent on Macs, which show a certificate. */
  readonly managementHint?: string;
}

export function readSetup(state: DeviceState): OktaVerifySetup {
  const isInstalled = isPresent(findApp(state, OKTA_VERIFY.bundleId));
  return state.family === 'Mac' ? macSetup(state, isInstalled) : iosSetup(state, isInstalled);
}

/** Managed preferences of several profiles merge key by key. */
const preferences = (state: DeviceState, domain: string): PlistDict =>
  Object.assign({}, ...installedPayloads(state, domain)) as PlistDict;

function macSetup(state: DeviceState, isInstalled: boolean): OktaVerifySetup {
  const [app, extension] = MAC_DOMAINS.map((domain) => preferences(state, domain));
  const orgUrls = [app, extension].map((domain) => textOf(domain ?? {}, 'OktaVerify.OrgUrl'));
  const isSilent = [app, extension].every((domain) =>
    SILENT.includes(textOf(domain ?? {}, 'OktaVerify.EnrollmentOptions')),
  );
  const orgUrl = orgUrls[0] !== '' && orgUrls[0] === orgUrls[1] ? orgUrls[0] : undefined;
  const opened = installedPayloads(state, 'com.apple.loginitems.managed').flatMap((payload) =>
    dictsOf(payload, 'AutoLaunchedApplicationDictionary-managed'),
  );
  const rules = installedPayloads(state, 'com.apple.servicemanagement').flatMap((one) =>
    dictsOf(one, 'Rules'),
  );
  return {
    isInstalled,
    ...(orgUrl !== undefined && { orgUrl }),
    launchesByItself: isInstalled && isSilent && orgUrl !== undefined,
    startsAtLogin: isInstalled && opened.some((item) => item['Path'] === OKTA_VERIFY.macPath),
    isKeptAllowed: rules.some(
      (rule) => rule['RuleType'] === 'TeamIdentifier' && rule['RuleValue'] === OKTA_VERIFY.teamId,
    ),
  };
}

/** App configuration reaches managed apps only. The SSO extension's own hint counts where both exist and differ. */
function iosSetup(state: DeviceState, isInstalled: boolean): OktaVerifySetup {
  const app = findApp(state, OKTA_VERIFY.bundleId);
  const configuration = (isManaged(app) ? configurationOf(app) : undefined) ?? {};
  const orgUrl = textOf(configuration, 'OktaVerify.OrgUrl');
  const hints = ssoPayloads(state)
    .map((payload) => payload['ExtensionData'])
    .filter(isDict)
    .map((data) => textOf(data, 'managementHint'));
  const appHint = textOf(configuration, 'managementHint');
  const hint = hints.find((one) => one !== appHint) ?? appHint;
  return {
    isInstalled,
    ...(orgUrl !== '' && { orgUrl }),
    launchesByItself: isInstalled && orgUrl !== '',
    startsAtLogin: false,
    isKeptAllowed: true,
    ...(appHint !== '' && hint !== '' && { managementHint: hint }),
  };
}

const dictsOf = (payload: PlistDict, key: string): PlistDict[] => {
  const value = payload[key];
  return Array.isArray(value) ? value.filter(isDict) : [];
};

/** SSO payloads that Okta Verify's extension would handle. */
const ssoPayloads = (state: DeviceState): PlistDict[] =>
  installedPayloads(state, 'com.apple.extensiblesso').filter(
    (payload) =>
      payload['ExtensionIdentifier'] === OKTA_VERIFY.ssoExtension &&
      payload['Type'] === 'Credential' &&
      payload['Realm'] === 'Okta Device' &&
      (state.family !== 'Mac' || payload['TeamIdentifier'] === OKTA_VERIFY.teamId),
  );

/** True when the extension handles the host (a leading dot is a wildcard suffix): no "Open Okta Verify?" then. */
export function handlesHost(state: DeviceState, orgUrl: string): boolean {
  if (!isPresent(findApp(state, OKTA_VERIFY.bundleId))) return false;
  const { host, hostname } = new URL(orgUrl.includes('://') ? orgUrl : `https://${orgUrl}`);
  return ssoPayloads(state)
    .flatMap(hostsOf)
    .some(
      (claimed) =>
        claimed === hostname || claimed === host || (claimed.startsWith('.') && hostname.endsWith(claimed)),
    );
}

/** Changes when a sign-in would show something else than the last one did. Holds no secret. */
export function toShow(state: DeviceState): string {
  const { orgUrl, managementHint } = readSetup(state);
  const certificates = state.keychain
    .filter((item) => item.privateKey !== undefined && item.id !== state.enrollment?.identity)
    .map(certificateOf)
    .sort((one, other) => other.notBefore.getTime() - one.notBefore.getTime());
  const shown = JSON.stringify([orgUrl, managementHint, certificates[0]?.serialNumber]);
  return createHash('sha256').update(shown).digest('hex');
}

// The device's profile store: verifies, installs, replaces and removes profiles, with what belongs to them.
import { randomUUID } from 'node:crypto';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { isDict, parsePlistDict } from '../../adapters/mdm/plist.ts';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import type { PayloadScope } from '../../domain/profile-identifier.ts';
import { verifyAttached } from '../../adapters/pki/cms.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { DeviceState, InstalledProfile, KeychainItem } from './device-state.ts';
import { recordMoment, removeItemsOf } from './keychain.ts';
import { refusalOfPayload, refusalOfProfile } from './profile-rules.ts';
import { Refusal, link, mdmRefused, profileRefused } from './refusal.ts';
import { enrollIdentity } from './scep-enrollment.ts';

export const textOf = (dict: PlistDict, key: string): string => {
  const value = dict[key];
  return typeof value === 'string' ? value : '';
};

export const payloadsIn = (profile: PlistDict): PlistDict[] => {
  const content = profile['PayloadContent'];
  return Array.isArray(content) ? content.filter(isDict) : [];
};

const parsed = new WeakMap<InstalledProfile, PlistDict>();

export function contentOf(profile: InstalledProfile): PlistDict {
  const known = parsed.get(profile);
  if (known) return known;
  const content = parsePlistDict(Buffer.from(profile.content, 'base64'));
  parsed.set(profile, content);
  return content;
}

/** Every installed payload of this type. */
export const installedPayloads = (state: DeviceState, type: string): PlistDict[] =>
  state.profiles.flatMap((profile) =>
    payloadsIn(contentOf(profile)).filter((one) => one['PayloadType'] === type),
  );

export interface SignedProfile {
  readonly dict: PlistDict;
  readonly content: Buffer;
  readonly signer: Certificate;
}

/** @throws Refusal when the profile is unsigned, altered after signing, or no profile. */
export function readSignedProfile(bytes: Uint8Array): SignedProfile {
  let opened: { content: Buffer; signer: Certificate };
  try {
    opened = verifyAttached(bytes);
  } catch {
    throw new Refusal([link('MCProfileErrorDomain', 1004, 'The profile’s signature is missing or invalid.')]);
  }
  try {
    return { ...opened, dict: parsePlistDict(opened.content) };
  } catch {
    throw new Refusal([link('MCProfileErrorDomain', 1000, 'The profile is malformed.')]);
  }
}

/**
 * Installs a profile or replaces the one with its identifier. Every SCEP payload enrolls anew, even if nothing changed.
 * @throws Refusal with Apple's error chain; the profile before it then stays (unless a knob says otherwise).
 */
export async function installProfile(
  context: DeviceContext,
  signed: SignedProfile,
  isManaged: boolean,
  scope: PayloadScope = 'System',
): Promise<InstalledProfile> {
  const { state } = context;
  const { dict, content, signer } = signed;
  const identifier = textOf(dict, 'PayloadIdentifier');
  const name = textOf(dict, 'PayloadDisplayName') || identifier;
  const malformed = refusalOfProfile(dict);
  if (malformed) throw profileRefused(name, malformed);
  refuseScope(state, dict, name, scope);
  for (const payload of payloadsIn(dict)) refusePayload(state, identifier, name, payload);
  let items: KeychainItem[];
  try {
    items = await keychainItems(context, identifier, payloadsIn(dict), isManaged);
    if (scope === 'User') items = items.map((item) => ({ ...item, scope }));
  } catch (error) {
    if (state.knobs.losesOldOnFailedReplace) {
      dropProfile(state, identifier, scope);
      recordMoment(state, context.clock.now());
    }
    throw error;
  }
  dropProfile(state, identifier, scope);
  state.keychain.push(...items);
  // The identity for device management is not counted: it comes with the enrollment.
  if (isManaged) for (const item of items) if (item.privateKey) count(context, 'certificatesReceived');
  const profile: InstalledProfile = {
    identifier,
    uuid: textOf(dict, 'PayloadUUID'),
    content: content.toString('base64'),
    signers: [signer.der.toString('base64')],
    isManaged,
    ...(scope === 'User' && { scope }),
    installedAt: context.clock.now().toISOString(),
  };
  state.profiles.push(profile);
  recordMoment(state, context.clock.now());
  count(context, 'profilesInstalled');
  return profile;
}

function refusePayload(state: DeviceState, identifier: string, name: string, payload: PlistDict): void {
  const refusal = refusalOfPayload(payload, state.family);
  if (refusal) throw profileRefused(name, refusal);
  if (payload['PayloadType'] !== 'com.apple.extensiblesso') return;
  const taken = state.profiles
    .filter((profile) => profile.identifier !== identifier)
    .flatMap((profile) => payloadsIn(contentOf(profile)))
    .flatMap((other) => (other['PayloadType'] === 'com.apple.extensiblesso' ? hostsOf(other) : []));
  const twice = hostsOf(payload).find((host) => taken.includes(host));
  if (twice === undefined) return;
  const text = `The host “${twice}” is claimed by another single sign-on payload.`;
  throw profileRefused(
    name,
    link('MCInstallationErrorDomain', 4001, text),
    link('MCSSOErrorDomain', 34001, text),
  );
}

/** Hosts of an SSO payload, lower case, as Apple compares them. */
export const hostsOf = (payload: PlistDict): string[] => {
  const hosts = payload['Hosts'];
  return Array.isArray(hosts)
    ? hosts.filter((host) => typeof host === 'string').map((host) => host.toLowerCase())
    : [];
};

async function keychainItems(
  context: DeviceContext,
  profile: string,
  payloads: readonly PlistDict[],
  isManaged: boolean,
): Promise<KeychainItem[]> {
  const items: KeychainItem[] = [];
  for (const payload of payloads) {
    const inner = payload['PayloadContent'];
    if (payload['PayloadType'] === 'com.apple.security.scep' && isDict(inner)) {
      const identity = await enrollIdentity(context, inner, !isManaged);
      if (!isManaged || !context.state.knobs.losesCertificates) items.push({ ...identity, profile });
    } else if (inner instanceof Uint8Array) {
      const certificate = Buffer.from(inner).toString('base64');
      items.push({ id: randomUUID(), profile, certificate, isExtractable: true, isUsableByAll: true });
    }
  }
  return items;
}

/** A channel installs profiles of its own scope only (Apple, TopLevel.yaml). */
function refuseScope(state: DeviceState, dict: PlistDict, name: string, scope: PayloadScope): void {
  if (state.family !== 'Mac' || isMdm(dict) || (textOf(dict, 'PayloadScope') || scope) === scope) return;
  throw profileRefused(
    name,
    link('MCInstallationErrorDomain', 4001, 'The profile is not for this channel’s scope.'),
  );
}

const isMdm = (dict: PlistDict): boolean =>
  payloadsIn(dict).some((payload) => payload['PayloadType'] === 'com.apple.mdm');

const isIn = (one: { readonly scope?: 'User' }, scope: PayloadScope): boolean =>
  (one.scope ?? 'System') === scope;

function dropProfile(state: DeviceState, identifier: string, scope: PayloadScope): void {
  state.profiles = state.profiles.filter(
    (profile) => profile.identifier !== identifier || !isIn(profile, scope),
  );
  removeItemsOf(state, (item) => item.profile === identifier && isIn(item, scope));
}

/** Removes a profile with its certificates. @throws Refusal when there is none of that identifier in this scope. */
export function removeProfile(context: DeviceContext, identifier: string, scope: PayloadScope): void {
  const { family, profiles } = context.state;
  if (!profiles.some((profile) => profile.identifier === identifier && isIn(profile, scope)))
    throw family === 'Mac'
      ? new Refusal([link('MDMClientError', 89, `Profile with identifier '${identifier}' not found.`)])
      : mdmRefused(12075, `The profile “${identifier}” is not installed.`);
  dropProfile(context.state, identifier, scope);
  recordMoment(context.state, context.clock.now());
  count(context, 'profilesRemoved');
}

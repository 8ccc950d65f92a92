// Enrolls a device as a person would: a code for the profile, SCEP for the identity, Authenticate, TokenUpdate.
import { randomBytes, randomUUID } from 'node:crypto';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { checkIn, checkInOnce } from './messages.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { DeviceState, MdmEnrollment } from './device-state.ts';
import { removeItemsOf } from './keychain.ts';
import { getBootstrapToken, escrowBootstrapToken, PER_USER } from './mac-messages.ts';
import type { SignedProfile } from './profiles.ts';
import { installProfile, payloadsIn, readSignedProfile, removeProfile, textOf } from './profiles.ts';
import { mdmRefused } from './refusal.ts';

export interface EnrollmentOrder {
  /** Public address of the MDM server: `https://localhost:4781`. */
  readonly url: string;
  readonly code: string;
}

/** @throws Error that says which step failed; the device is then not enrolled. */
export async function enroll(context: DeviceContext, order: EnrollmentOrder): Promise<void> {
  const profile = await fetchProfile(context, order);
  await enrollWith(context, readSignedProfile(profile));
}

/** The page's form, sent the way a browser sends it. */
async function fetchProfile(context: DeviceContext, order: EnrollmentOrder): Promise<Buffer> {
  const body = Buffer.from(new URLSearchParams({ code: order.code }).toString());
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await context.network.request(new URL('/enroll', order.url).href, {
    method: 'POST',
    headers,
    body,
  });
  const type = response.headers['content-type'] ?? '';
  if (response.status !== 200 || !type.startsWith('application/x-apple-aspen-config'))
    throw new Error(`the enrollment page responded ${response.status} (${type})`);
  return response.body;
}

/** Apple delivers nothing under them any more. */
function retireTokens(state: DeviceState, { pushToken, topic, user }: MdmEnrollment): void {
  state.formerTokens.push({ token: pushToken, topic });
  if (user) state.formerTokens.push({ token: user.pushToken, topic });
}

async function enrollWith(context: DeviceContext, signed: SignedProfile): Promise<void> {
  const { state } = context;
  const mdm = mdmPayloadOf(signed);
  const before = state.enrollment;
  if (before) retireTokens(state, before);
  const identity = await installIdentity(context, signed);
  state.enrollment = newEnrollment(
    mdm,
    textOf(signed.dict, 'PayloadIdentifier'),
    identity,
    context.clock.now(),
  );
  delete state.unsent;
  try {
    await checkIn(context, state.enrollment, authenticate(state, state.enrollment));
    await checkIn(context, state.enrollment, tokenUpdate(state, state.enrollment));
  } catch (error) {
    leave(context);
    throw error;
  } finally {
    await context.save();
  }
  count(context, 'enrollments');
  await speakAsMac(context, state.enrollment);
}

/** What only Macs do, as far as their server offers it. The enrollment does not hang on it. */
async function speakAsMac(context: DeviceContext, enrollment: MdmEnrollment): Promise<void> {
  if (context.state.family !== 'Mac') return;
  try {
    await escrowBootstrapToken(context, enrollment);
  } catch {
    count(context, 'macMessagesLost');
  }
  await context.save();
}

/**
 * The enrollment profile comes again by InstallProfile: a new identity for the same enrollment, Authenticate, TokenUpdate.
 * @throws Refusal when topic, server or profile identifier are others than before
 */
export async function renewIdentity(context: DeviceContext, signed: SignedProfile): Promise<void> {
  const { enrollment } = context.state;
  const mdm = mdmPayloadOf(signed);
  const isSame =
    textOf(mdm, 'Topic') === enrollment?.topic &&
    textOf(mdm, 'ServerURL') === enrollment.serverUrl &&
    textOf(signed.dict, 'PayloadIdentifier') === enrollment.profileIdentifier &&
    !addsRights(mdm, enrollment) &&
    capabilitiesOf(mdm).includes(PER_USER) === enrollment.serverCapabilities.includes(PER_USER);
  if (!enrollment || !isSame) throw mdmRefused(12012, 'The new MDM payload does not match the old one.');
  enrollment.identity = await installIdentity(context, signed);
  await checkIn(context, enrollment, authenticate(context.state, enrollment));
  await checkIn(context, enrollment, tokenUpdate(context.state, enrollment));
  count(context, 'identitiesRenewed');
  await getBootstrapToken(context, enrollment);
}

const addsRights = (mdm: PlistDict, { accessRights }: MdmEnrollment): boolean =>
  (Number(mdm['AccessRights']) & ~accessRights) !== 0;

function capabilitiesOf(mdm: PlistDict): string[] {
  const offered = mdm['ServerCapabilities'];
  return Array.isArray(offered) ? offered.filter((one): one is string => typeof one === 'string') : [];
}

export const isMdmProfile = (signed: SignedProfile): boolean =>
  payloadsIn(signed.dict).some((payload) => payload['PayloadType'] === 'com.apple.mdm');

async function installIdentity(context: DeviceContext, signed: SignedProfile): Promise<string> {
  const profile = await installProfile(context, signed, false);
  const identity = context.state.keychain.find(
    (item) => item.profile === profile.identifier && item.privateKey,
  );
  if (!identity) throw mdmRefused(12016, 'The identity certificate is missing.');
  return identity.id;
}

function mdmPayloadOf(signed: SignedProfile): PlistDict {
  const payloads = payloadsIn(signed.dict);
  const mdm = payloads.find((payload) => payload['PayloadType'] === 'com.apple.mdm');
  const scep = payloads.find((payload) => payload['PayloadType'] === 'com.apple.security.scep');
  if (!mdm || !scep || mdm['IdentityCertificateUUID'] !== scep['PayloadUUID'])
    throw mdmRefused(12016, 'The profile names no identity for device management.');
  if (!textOf(mdm, 'Topic').startsWith('com.apple.mgmt.'))
    throw mdmRefused(12022, 'The topic of the MDM payload is invalid.');
  if (!textOf(mdm, 'ServerURL').startsWith('https://'))
    throw mdmRefused(12020, 'The server address of the MDM payload must be https.');
  return mdm;
}

function newEnrollment(
  mdm: PlistDict,
  profileIdentifier: string,
  identity: string,
  now: Date,
): MdmEnrollment {
  const serverUrl = textOf(mdm, 'ServerURL');
  return {
    profileIdentifier,
    topic: textOf(mdm, 'Topic'),
    serverUrl,
    checkInUrl: textOf(mdm, 'CheckInURL') || serverUrl,
    signsMessages: mdm['SignMessage'] === true,
    checksOut: mdm['CheckOutWhenRemoved'] === true,
    accessRights: Number(mdm['AccessRights'] ?? 8191),
    serverCapabilities: capabilitiesOf(mdm),
    identity,
    pushToken: randomBytes(32).toString('hex'),
    pushMagic: randomUUID().toUpperCase(),
    enrolledAt: now.toISOString(),
  };
}

function authenticate(state: DeviceState, enrollment: MdmEnrollment): PlistDict {
  const { hardware } = state;
  return {
    MessageType: 'Authenticate',
    Topic: enrollment.topic,
    UDID: hardware.udid,
    OSVersion: hardware.osVersion,
    BuildVersion: hardware.buildVersion,
    ProductName: hardware.productName,
    SerialNumber: hardware.serialNumber,
    ...(state.family === 'Mac'
      ? {
          DeviceName: hardware.deviceName,
          Model: hardware.productName,
          ModelName: hardware.modelName,
          Challenge: Buffer.from('apple'),
        }
      : {}),
  };
}

function tokenUpdate(state: DeviceState, enrollment: MdmEnrollment): PlistDict {
  return {
    MessageType: 'TokenUpdate',
    Topic: enrollment.topic,
    UDID: state.hardware.udid,
    Token: Buffer.from(enrollment.pushToken, 'hex'),
    PushMagic: enrollment.pushMagic,
    AwaitingConfiguration: false,
    ...(state.family !== 'Mac' && { UnlockToken: randomBytes(64) }),
  };
}

/** Tells the server where to push; with a new token, as after a restore from a backup. */
export async function updateToken(context: DeviceContext, isNew: boolean): Promise<void> {
  const { enrollment } = context.state;
  if (!enrollment) throw new Error('the device is not enrolled');
  if (isNew) {
    context.state.formerTokens.push({ token: enrollment.pushToken, topic: enrollment.topic });
    enrollment.pushToken = randomBytes(32).toString('hex');
  }
  await checkIn(context, enrollment, tokenUpdate(context.state, enrollment));
  await context.save();
}

/** The user removes the MDM profile: everything managed goes with it; one attempt is made to say so. */
export async function checkOut(context: DeviceContext): Promise<void> {
  const { enrollment, hardware } = context.state;
  if (!enrollment) return;
  if (enrollment.checksOut) {
    const message = { MessageType: 'CheckOut', Topic: enrollment.topic, UDID: hardware.udid };
    const status = await checkInOnce(context, enrollment, message).catch(() => 0);
    if (status !== 200) count(context, 'checkOutsLost');
  }
  leave(context);
  await context.save();
}

/** Takes management off the device: managed profiles, their certificates, apps that go with management. */
export function leave(context: DeviceContext): void {
  const { state } = context;
  const { enrollment } = state;
  if (!enrollment) return;
  retireTokens(state, enrollment);
  delete state.enrollment;
  delete state.unsent;
  const managed = state.profiles.filter((profile) => profile.isManaged);
  for (const { identifier, scope } of managed) removeProfile(context, identifier, scope ?? 'System');
  state.profiles = state.profiles.filter((profile) => profile.identifier !== enrollment.profileIdentifier);
  removeItemsOf(state, (item) => item.profile === enrollment.profileIdentifier);
  state.apps = state.apps.filter((app) => app.status === undefined || (app.managementFlags & 1) === 0);
  for (const app of state.apps) {
    delete app.status;
    delete app.configuration;
  }
}

/** Erase All Content: what a fresh device has. Its numbers and its user stay. */
export function erase(state: DeviceState): void {
  if (state.enrollment) retireTokens(state, state.enrollment);
  delete state.enrollment;
  delete state.unsent;
  removeItemsOf(state, () => true);
  state.profiles = [];
  state.apps = [];
  state.oktaVerify = { signIns: state.oktaVerify.signIns };
}

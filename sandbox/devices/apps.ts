// Apps of a pretend device: licenses, downloads that take time, prompts of unsupervised iPhones, management taken over.
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { buildPlist, isDict, parsePlistDict } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { DeviceState, InstalledApp } from './device-state.ts';
import { Refusal, link, mdmRefused } from './refusal.ts';

/** The store's only shelf that matters here. */
const CATALOGUE: Readonly<Record<string, { bundleId: string; name: string; version: string }>> = {
  [OKTA_VERIFY.adamId]: { bundleId: OKTA_VERIFY.bundleId, name: 'Okta Verify', version: '9.52.1' },
};

/** Reported once, then gone (Apple, ManagedApplicationList). */
const TRANSIENT = ['UserRejected', 'ManagementRejected', 'UpdateRejected', 'UserInstalledApp', 'Failed'];
const MANAGED_STATES = [
  'Managed',
  'Installing',
  'Prompting',
  'PromptingForManagement',
  'ManagedButUninstalled',
];

export const findApp = (state: DeviceState, bundleId: string): InstalledApp | undefined =>
  state.apps.find((app) => app.bundleId === bundleId);

/** On the device, whoever manages it. */
export const isPresent = (app: InstalledApp | undefined): boolean =>
  app !== undefined &&
  (app.status === undefined || app.status === 'Managed' || app.status === 'PromptingForManagement');

export const isManaged = (app: InstalledApp | undefined): boolean => app?.status === 'Managed';

export const configurationOf = (app: InstalledApp | undefined): PlistDict | undefined =>
  app?.configuration === undefined ? undefined : parsePlistDict(Buffer.from(app.configuration, 'base64'));

const asksUser = (state: DeviceState): boolean => state.family !== 'Mac' && !state.isSupervised;
const later = (context: DeviceContext, seconds: number): string =>
  new Date(context.clock.now().getTime() + seconds * 1000).toISOString();

/** macOS names no reason but Other. */
const reason = (state: DeviceState, text: string): Record<string, string> => ({
  RejectionReason: state.family === 'Mac' ? 'Other' : text,
});

/** Carries out InstallApplication up to its acknowledgement, which comes before the download. */
export async function installApplication(context: DeviceContext, command: PlistDict): Promise<PlistDict> {
  const { state } = context;
  const adamId = String(command['iTunesStoreID'] ?? '');
  const offer = CATALOGUE[adamId];
  if (!offer) throw mdmRefused(12023, 'The app could not be found.', reason(state, 'CouldNotVerifyAppID'));
  const options = command['Options'];
  if (!isDict(options) || options['PurchaseMethod'] !== 1)
    throw mdmRefused(12040, 'Signing in to the iTunes Store is required.', reason(state, 'Other'));
  if (!(await context.licenses.hasLicense(state.hardware.serialNumber, adamId)))
    refuseForLicense(state, adamId);
  const wantsManagement = command['ChangeManagementState'] === 'Managed';
  const isManagedInstall = state.family !== 'Mac' || command['InstallAsManaged'] === true;
  const present = findApp(state, offer.bundleId);
  if (present && present.status === undefined)
    takeOver(context, present, wantsManagement && isManagedInstall);
  else startDownload(context, offer, isManagedInstall);
  const app = findApp(state, offer.bundleId);
  if (!app) throw new Error('the app is neither there nor coming');
  app.managementFlags = typeof command['ManagementFlags'] === 'number' ? command['ManagementFlags'] : 0;
  const configuration = command['Configuration'];
  if (isDict(configuration)) app.configuration = buildPlist(configuration).toString('base64');
  return { Identifier: app.bundleId, State: app.status ?? 'Installing' };
}

function refuseForLicense(state: DeviceState, adamId: string): never {
  const text = `No license was found for the app with iTunes Store ID ${adamId}.`;
  const chain = [
    link('MCMDMErrorDomain', 12064, text),
    link('ASDServerErrorDomain', 9610, 'License not found'),
  ];
  throw new Refusal(chain, reason(state, 'Other'));
}

/** Takes a managed app away, with what it kept: Okta Verify's registration goes, too. */
export function removeApplication(context: DeviceContext, bundleId: string): void {
  const { state } = context;
  const app = findApp(state, bundleId);
  if (app?.status === undefined) throw mdmRefused(12038, `The app “${bundleId}” is not managed.`);
  state.apps = state.apps.filter((one) => one !== app);
  deleteRegistration(state);
  count(context, 'appsRemoved');
}

/** A new installation of Okta Verify registers anew. */
export function deleteRegistration(state: DeviceState): void {
  delete state.oktaVerify.oktaDeviceId;
  delete state.oktaVerify.lastShown;
}

/** An app that somebody else installed: management changes, nothing is downloaded. */
function takeOver(context: DeviceContext, app: InstalledApp, isWanted: boolean): void {
  const { state } = context;
  if (!isWanted || app.source === 'package')
    throw mdmRefused(12025, 'The app is already installed.', reason(state, 'AppAlreadyInstalled'));
  count(context, 'managementTakenOver');
  if (!asksUser(state)) {
    app.status = 'Managed';
    return;
  }
  app.status = 'PromptingForManagement';
  promptUser(context, app, 'Managed', 'Unmanaged');
}

function startDownload(
  context: DeviceContext,
  offer: (typeof CATALOGUE)[string],
  isManagedInstall: boolean,
): void {
  const { state } = context;
  const known = findApp(state, offer?.bundleId ?? '');
  // Public reports of Macs: fleetdm/fleet #25132, #36724.
  if (state.family === 'Mac' && known?.status === 'Installing')
    throw new Refusal([link('ASDErrorDomain', 506, 'Duplicate request')], reason(state, 'Other'));
  if (known?.status && MANAGED_STATES.includes(known.status) && known.status !== 'ManagedButUninstalled')
    count(context, 'appInstalledAgain');
  state.apps = state.apps.filter((app) => app !== known);
  const app: InstalledApp = { ...offer, source: 'appStore', managementFlags: 0 } as InstalledApp;
  if (known?.configuration !== undefined) app.configuration = known.configuration;
  state.apps.push(app);
  if (asksUser(state)) {
    app.status = 'Prompting';
    promptUser(context, app, 'Accepted', 'UserRejected');
  } else download(context, app, isManagedInstall);
}

function promptUser(
  context: DeviceContext,
  app: InstalledApp,
  yes: NonNullable<InstalledApp['next']>,
  no: NonNullable<InstalledApp['next']>,
): void {
  const { promptAnswer, promptSeconds } = context.state.knobs;
  count(context, 'userPrompts');
  delete app.until;
  app.next = promptAnswer === 'refuse' ? no : yes;
  if (promptAnswer !== 'wait') app.until = later(context, promptSeconds);
}

function download(context: DeviceContext, app: InstalledApp, isManagedInstall: boolean): void {
  const { knobs } = context.state;
  count(context, 'downloads');
  app.status = 'Installing';
  app.until = later(context, knobs.downloadSeconds);
  app.next = knobs.downloadFails ? 'Failed' : isManagedInstall ? 'Managed' : 'Unmanaged';
}

/** The user of an unsupervised device responds an open prompt. False when there is none. */
export function answerPrompt(context: DeviceContext, response: 'accept' | 'refuse'): boolean {
  const app = context.state.apps.find((one) => one.status?.startsWith('Prompting'));
  if (!app) return false;
  const isNew = app.status === 'Prompting';
  app.next = response === 'accept' ? (isNew ? 'Accepted' : 'Managed') : isNew ? 'UserRejected' : 'Unmanaged';
  app.until = context.clock.now().toISOString();
  return true;
}

/** Does what is due: downloads end, users answer. True when anything changed. */
export function advanceApps(context: DeviceContext): boolean {
  const now = context.clock.now().toISOString();
  const due = context.state.apps.filter((app) => app.until !== undefined && app.until <= now);
  for (const app of due) {
    const wasManagementPrompt = app.status === 'PromptingForManagement';
    delete app.until;
    if (app.next === 'Accepted') download(context, app, true);
    else if (app.next === 'Unmanaged' && wasManagementPrompt) app.status = 'ManagementRejected';
    else if (app.next === 'Unmanaged') delete app.status;
    else if (app.next !== undefined) app.status = app.next;
  }
  return due.length > 0;
}

/** ManagedApplicationList: a dictionary by bundle id. Transient states are told once. */
export function reportManagedApps(state: DeviceState, identifiers: readonly string[] | undefined): PlistDict {
  const told: Record<string, PlistDict> = {};
  for (const app of [...state.apps]) {
    if (app.status === undefined || (identifiers && !identifiers.includes(app.bundleId))) continue;
    told[app.bundleId] = {
      Status: app.status,
      ManagementFlags: app.managementFlags,
      HasConfiguration: app.configuration !== undefined,
      // Of Macs, only a user's own channel says the first; none says the second.
      ...(state.family !== 'Mac' && { HasFeedback: false, IsValidated: true }),
      ExternalVersionIdentifier: 868_412_035,
    };
    if (!TRANSIENT.includes(app.status)) continue;
    if (app.status === 'ManagementRejected') delete app.status;
    else state.apps = state.apps.filter((one) => one !== app);
  }
  return told;
}

/** InstalledApplicationList. Only App Store apps carry ExternalVersionIdentifier and HasUpdateAvailable. */
export function reportInstalledApps(state: DeviceState, asked: PlistDict): PlistDict[] {
  const identifiers = asked['Identifiers'];
  const isAsked = (app: InstalledApp): boolean =>
    (!Array.isArray(identifiers) || identifiers.includes(app.bundleId)) &&
    (asked['ManagedAppsOnly'] !== true || app.status !== undefined) &&
    (isPresent(app) || app.status === 'Installing');
  return state.apps.filter(isAsked).map((app) => ({
    Identifier: app.bundleId,
    Name: app.name,
    ShortVersion: app.version,
    Version: app.version,
    BundleSize: 148_000_000,
    Installing: app.status === 'Installing',
    ...(app.source === 'appStore' && { ExternalVersionIdentifier: 868_412_035, HasUpdateAvailable: false }),
    ...(state.family !== 'Mac' && {
      AppStoreVendable: app.source === 'appStore',
      DeviceBasedVPP: app.status !== undefined,
      BetaApp: false,
      AdHocCodeSigned: false,
      IsValidated: true,
    }),
  }));
}

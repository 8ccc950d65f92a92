// Okta Verify's behavior as a table: what was delivered, and what follows from it.
import { describe, expect, it } from 'vitest';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { DeviceFamily } from '../../domain/device.ts';
import type { DeviceState } from './device-state.ts';
import { DEFAULT_KNOBS } from './device-state.ts';
import { newHardware } from './hardware.ts';
import { handlesHost, readSetup } from './okta-verify.ts';

const ORG = 'https://org.okta.com';

interface Delivered {
  payloads?: PlistDict[];
  app?: { status?: string; configuration?: PlistDict } | null;
}

function deviceWith(
  family: DeviceFamily,
  { payloads = [], app = { status: 'Managed' } }: Delivered,
): DeviceState {
  const content = buildPlist({ PayloadContent: payloads });
  return {
    name: 'device',
    family,
    hardware: newHardware(family, 'device', {}),
    isSupervised: true,
    user: { login: 'ada@example.com', signsIn: 'auto' },
    signature: 'no-attributes-sha1',
    power: 'awake',
    knobs: { ...DEFAULT_KNOBS },
    formerTokens: [],
    profiles: [
      {
        identifier: 'all',
        uuid: 'A',
        content: content.toString('base64'),
        signers: [],
        isManaged: true,
        installedAt: '',
      },
    ],
    keychain: [],
    apps: app
      ? [
          {
            bundleId: OKTA_VERIFY.bundleId,
            name: 'Okta Verify',
            version: '9',
            source: 'appStore',
            managementFlags: 0,
            ...(app.status !== undefined && { status: app.status }),
            ...(app.configuration && { configuration: buildPlist(app.configuration).toString('base64') }),
          },
        ]
      : [],
    oktaVerify: { signIns: [] },
    counts: {},
    log: [],
  };
}

const settings = (domain: string, keys: PlistDict = {}): PlistDict => ({
  PayloadType: domain,
  'OktaVerify.OrgUrl': ORG,
  'OktaVerify.EnrollmentOptions': 'SilentEnrollmentEnabled',
  ...keys,
});
const APP = settings('com.okta.mobile');
const EXTENSION = settings('com.okta.mobile.auth-service-extension');
const SSO: PlistDict = {
  PayloadType: 'com.apple.extensiblesso',
  ExtensionIdentifier: OKTA_VERIFY.ssoExtension,
  TeamIdentifier: OKTA_VERIFY.teamId,
  Type: 'Credential',
  Realm: 'Okta Device',
  Hosts: ['org.okta.com'],
};
const STARTS: PlistDict = {
  PayloadType: 'com.apple.loginitems.managed',
  'AutoLaunchedApplicationDictionary-managed': [{ Path: OKTA_VERIFY.macPath, Hide: true }],
};
const ALLOWS: PlistDict = {
  PayloadType: 'com.apple.servicemanagement',
  Rules: [{ RuleType: 'TeamIdentifier', RuleValue: OKTA_VERIFY.teamId }],
};

describe('on a Mac', () => {
  it.each<[string, Delivered, boolean]>([
    ['both domains', { payloads: [APP, EXTENSION] }, true],
    [
      'both domains, an older word',
      { payloads: [APP, EXTENSION].map((one) => ({ ...one, 'OktaVerify.EnrollmentOptions': 'Enabled' })) },
      true,
    ],
    ['one domain only', { payloads: [APP] }, false],
    ['the other domain only', { payloads: [EXTENSION] }, false],
    [
      'no EnrollmentOptions in one',
      { payloads: [APP, settings(OKTA_VERIFY.ssoExtension, { 'OktaVerify.EnrollmentOptions': undefined })] },
      false,
    ],
    [
      'EnrollmentOptions that say no',
      {
        payloads: [
          APP,
          settings(OKTA_VERIFY.ssoExtension, { 'OktaVerify.EnrollmentOptions': 'SilentEnrollmentDisabled' }),
        ],
      },
      false,
    ],
    [
      'no OrgUrl in one',
      { payloads: [APP, settings(OKTA_VERIFY.ssoExtension, { 'OktaVerify.OrgUrl': undefined })] },
      false,
    ],
    [
      'two OrgUrls',
      {
        payloads: [
          APP,
          settings(OKTA_VERIFY.ssoExtension, { 'OktaVerify.OrgUrl': 'https://other.okta.com' }),
        ],
      },
      false,
    ],
    ['everything but the app', { payloads: [APP, EXTENSION], app: null }, false],
    ['an app that still downloads', { payloads: [APP, EXTENSION], app: { status: 'Installing' } }, false],
    ['nothing', {}, false],
  ])('%s: launches by itself?', (_what, delivered, isLaunched) => {
    expect(readSetup(deviceWith('Mac', delivered)).launchesByItself).toBe(isLaunched);
  });

  it.each<[string, PlistDict[], boolean, boolean]>([
    ['both payloads', [STARTS, ALLOWS], true, true],
    ['the launching one only', [STARTS], true, false],
    ['the allowing one only', [ALLOWS], false, true],
    [
      'one for another app',
      [{ ...STARTS, 'AutoLaunchedApplicationDictionary-managed': [{ Path: '/Applications/Other.app' }] }],
      false,
      false,
    ],
    ['none', [], false, false],
  ])('login item, %s: starts at login? stays allowed?', (_what, payloads, startsAtLogin, isKeptAllowed) => {
    expect(readSetup(deviceWith('Mac', { payloads }))).toMatchObject({ startsAtLogin, isKeptAllowed });
  });

  it.each<[string, PlistDict | undefined, boolean]>([
    ['its payload', SSO, true],
    ['a wildcard', { ...SSO, Hosts: ['.okta.com'] }, true],
    ['another host', { ...SSO, Hosts: ['other.okta.com'] }, false],
    ['another realm', { ...SSO, Realm: 'Other' }, false],
    ['the Redirect kind', { ...SSO, Type: 'Redirect' }, false],
    ['no team', { ...SSO, TeamIdentifier: undefined }, false],
    ['none', undefined, false],
  ])('single sign-on with %s: no prompt?', (_what, payload, responses) => {
    expect(handlesHost(deviceWith('Mac', { payloads: payload ? [payload] : [] }), ORG)).toBe(responses);
  });

  it('knows no managementHint', () => {
    const configuration = { 'OktaVerify.OrgUrl': ORG, managementHint: 'secret' };
    expect(
      readSetup(deviceWith('Mac', { app: { status: 'Managed', configuration } })).managementHint,
    ).toBeUndefined();
  });
});

describe('on an iPhone', () => {
  const configuration = { 'OktaVerify.OrgUrl': ORG, managementHint: 'secret' };
  const sso = (managementHint?: string): PlistDict => ({
    ...SSO,
    ...(managementHint && { ExtensionData: { managementHint } }),
  });
  it.each<[string, Delivered, string | undefined]>([
    ['app configuration', { app: { status: 'Managed', configuration } }, 'secret'],
    [
      'app configuration and extension',
      { payloads: [sso('secret')], app: { status: 'Managed', configuration } },
      'secret',
    ],
    [
      'an extension with another hint',
      { payloads: [sso('old')], app: { status: 'Managed', configuration } },
      'old',
    ],
    ['the extension alone', { payloads: [sso('secret')] }, undefined],
    ['configuration of an app that is not managed', { app: { configuration } }, undefined],
    ['nothing', {}, undefined],
  ])('%s: which hint is shown?', (_what, delivered, hint) => {
    expect(readSetup(deviceWith('iPhone', delivered)).managementHint).toBe(hint);
  });

  it.each<[string, Delivered, boolean]>([
    ['OrgUrl', { app: { status: 'Managed', configuration } }, true],
    ['no OrgUrl', { app: { status: 'Managed', configuration: { managementHint: 'secret' } } }, false],
    ['an app that is not managed', { app: { configuration } }, false],
  ])('%s: asks its user to register?', (_what, delivered, isAsked) => {
    expect(readSetup(deviceWith('iPhone', delivered)).launchesByItself).toBe(isAsked);
  });

  it('needs no team in the single sign-on payload', () => {
    const { TeamIdentifier: _, ...payload } = SSO;
    expect(handlesHost(deviceWith('iPhone', { payloads: [payload] }), ORG)).toBe(true);
  });
});

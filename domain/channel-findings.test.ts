// What of another server's profile works against Okta Device Trust from Odette.
import { expect, test } from 'vitest';
import { findRivals } from './channel-findings.ts';
import { nextQuestionInMs, retryInMs } from './channel-pauses.ts';

test.each([
  ['com.apple.security.scep', '<string>https://acme.okta.com/scep/v1/1</string>', ['okta_certificate']],
  ['com.apple.security.scep', '<string>$FLEET_VAR_CUSTOM_SCEP_PROXY_URL_OKTA</string>', ['okta_certificate']],
  ['com.apple.security.scep', '<string>https://ca.example.com</string>', []],
  ['com.apple.extensiblesso', '<string>com.okta.mobile.auth-service-extension</string>', ['sso_extension']],
  ['com.apple.extensiblesso', '<string>com.microsoft.CompanyPortalMac.ssoextension</string>', []],
  ['com.okta.mobile', '<string>x</string>', ['okta_verify_settings']],
  ['com.apple.ManagedClient.preferences', '<key>com.okta.mobile</key>', ['okta_verify_settings']],
  ['com.apple.wifi.managed', '<string>okta</string>', []],
])('%s with %s: %j', (type, text, codes) => {
  expect(findRivals([{ type, text }])).toEqual(codes);
});

test('each is named once', () => {
  const scep = { type: 'com.apple.security.scep', text: 'https://acme.okta.com' };
  expect(findRivals([scep, scep, { type: 'com.okta.mobile', text: '' }])).toEqual([
    'okta_certificate',
    'okta_verify_settings',
  ]);
});

test('pauses grow with the silence, and end at five minutes', () => {
  expect([0, 4_000, 60_000, 86_400_000].map(nextQuestionInMs)).toEqual([1_000, 1_000, 15_000, 300_000]);
  expect([1, 2, 3, 50].map((failures) => retryInMs(failures, undefined))).toEqual([
    5_000, 10_000, 20_000, 300_000,
  ]);
  expect(retryInMs(1, 60_000)).toBe(60_000);
  expect(retryInMs(1, 86_400_000)).toBe(3_600_000);
});

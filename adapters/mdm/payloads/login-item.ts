// Okta Verify as a login item of a Mac: one payload starts it at login, the other keeps the user from switching it off.
import { OKTA_VERIFY } from '../../../domain/device-report.ts';
import type { Payload } from './profile.ts';

export const loginItem = (): Payload[] => [
  {
    type: 'com.apple.loginitems.managed',
    name: 'login-item',
    displayName: 'Okta Verify login item',
    content: { 'AutoLaunchedApplicationDictionary-managed': [{ Path: OKTA_VERIFY.macPath, Hide: true }] },
  },
  {
    type: 'com.apple.servicemanagement',
    name: 'background-item',
    displayName: 'Okta Verify background item',
    content: {
      Rules: [{ RuleType: 'TeamIdentifier', RuleValue: OKTA_VERIFY.teamId, Comment: 'Okta Verify' }],
    },
  },
];

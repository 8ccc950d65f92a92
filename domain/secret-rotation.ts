// Secrets that are rotated: what Okta does with the old value of each, in which order a person acts, and what each status means. Pure.
import type { FailureCode } from './failures.ts';

export const ROTATED_SECRETS = [
  'client_secret',
  'private_key',
  'challenge_password',
  'ios_secret_key',
] as const;
export type RotatedSecret = (typeof ROTATED_SECRETS)[number];

/**
 * prepared: the new value is known; it waits for a person who sets it in Okta. trying: Okta is asked whether it takes it. switching: in
 * use; requests with the old value that are under way end. pushing: devices get it. proving: the first sign-in with it is waited for.
 */
export const ROTATION_STATUSES = [
  'prepared',
  'trying',
  'switching',
  'pushing',
  'proving',
  'finished',
  'refused',
  'abandoned',
] as const;
export type RotationStatus = (typeof ROTATION_STATUSES)[number];

/** Made here, or chosen first: Okta is given it. The others are made in Okta: Odette is given them. */
export const isChosenFirst = (kind: RotatedSecret): boolean =>
  kind === 'private_key' || kind === 'ios_secret_key';

/** Okta takes old and new at once, so that nothing has to hurry. */
export const overlaps = (kind: RotatedSecret): boolean => kind === 'client_secret' || kind === 'private_key';

/** The secret that somebody replaced in Okta without a word to Odette, where a refusal says so; null: a rotation does not help. */
export function replacedInOkta(code: FailureCode): RotatedSecret | null {
  switch (code) {
    case 'okta.challenge_credentials_refused':
      return 'challenge_password';
    case 'okta.client_secret_wrong':
      return 'client_secret';
    default:
      return null;
  }
}

/** A person may say that the new value is set in Okta, or give it up: nothing has changed here yet. */
export const canBeSteered = (status: RotationStatus): boolean => status === 'prepared';

export const ROTATION_TITLES: Readonly<Record<RotatedSecret, string>> = {
  client_secret: 'Client secret',
  private_key: 'Key of the API Services app',
  challenge_password: 'macOS challenge password',
  ios_secret_key: 'iOS secret key',
};

/** What a person does, in Okta's words, in this order. */
export const ROTATION_STEPS: Readonly<Record<RotatedSecret, readonly string[]>> = {
  client_secret: [
    'In Okta, open Applications > API Service Integrations and select the Odette integration.',
    'Generate a new secret beside the old one (Okta keeps two), and copy it.',
    'Enter it here. Before using the new secret, Odette tests it by requesting a token from Okta.',
    'When the rotation has finished, deactivate and delete the old secret in Okta.',
  ],
  private_key: [
    'Odette creates a new key pair and shows the public key.',
    'In Okta, open Applications > Applications and select the Odette app. Under Public Keys, add the new key beside the old one and save.',
    'Confirm here. Before using the new key, Odette tests it by requesting a token from Okta.',
    'When the rotation has finished, delete the old public key in Okta.',
  ],
  challenge_password: [
    'In Okta, open Security > Device Integrations.',
    'Next to the macOS integration, click Actions, then the reset option, then Reset.',
    'Copy the new password: Okta shows it only once, and refuses the old one immediately.',
    'Enter it here. Before using the new password, Odette tests it by fetching one challenge. Odette sends nothing to devices.',
  ],
  ios_secret_key: [
    'Choose the new key here first. If Odette creates it, Odette shows it only once.',
    'In Okta, open Security > Device Integrations. Next to the iOS integration, click Actions, then the reset option.',
    'Choose “Use existing key”, paste the new key, and click Reset. Okta no longer accepts the old key.',
    'Confirm here at once. Odette pushes the key to all iPhones and iPads at full pace, starting with those whose users can lose access.',
  ],
};

/** How long users can lose access, and why. */
export const EXPOSURE: Readonly<Record<RotatedSecret, string>> = {
  client_secret: 'None: Okta accepts both secrets until you delete the old one.',
  private_key: 'None: Okta accepts both keys until you delete the old one.',
  challenge_password:
    'From the reset until you enter the new password, Macs get no new certificates. Existing certificates stay valid. Macs that waited continue within a minute.',
  ios_secret_key:
    'From the reset in Okta until a device has the new key, sign-ins on that device do not count as managed: its user can be locked out. Devices that are asleep or offline stay exposed until they wake.',
};

export const statusText = (status: RotationStatus, kind: RotatedSecret): string => {
  switch (status) {
    case 'prepared':
      return kind === 'private_key'
        ? 'Waits until the public key is in Okta and you confirm it.'
        : 'Waits until the new key is set in Okta and you confirm it.';
    case 'trying':
      return 'Odette tests the new value with Okta. The old value stays in use.';
    case 'switching':
      return 'The new value is in use. Requests that started with the old value are finishing.';
    case 'pushing':
      return 'Odette is sending the new key to the devices.';
    case 'proving':
      return 'All reachable devices have the new key. Odette waits for the first sign-in that proves it.';
    case 'finished':
      return 'Finished. Odette deleted the old value.';
    case 'refused':
      return 'Okta refused the new value. The old value stays in use.';
    case 'abandoned':
      return 'Abandoned. The old value stays in use.';
  }
};

/** 8 to 256 characters with upper and lower case and a symbol, as Okta's "Use existing key" asks. */
export const isFitForOkta = (key: string): boolean =>
  key.length >= 8 && key.length <= 256 && /[a-z]/.test(key) && /[A-Z]/.test(key) && /[^A-Za-z0-9]/.test(key);

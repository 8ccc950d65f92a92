// What a Mac holds: its hardware, profiles, keychain and apps.
import { X509Certificate } from 'node:crypto';
import type { PlistValue } from 'plist';
import type { Identity } from './scep-message.ts';

export interface Dict {
  readonly [key: string]: PlistValue;
}

export const isDict = (value: unknown): value is Dict =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Date);
export const dictsIn = (value: unknown): Dict[] => (Array.isArray(value) ? value.filter(isDict) : []);
export const textIn = (dict: Dict, key: string): string =>
  typeof dict[key] === 'string' ? (dict[key] as string) : '';

export interface Hardware {
  readonly udid: string;
  readonly serialNumber: string;
  readonly osVersion: string;
  readonly buildVersion: string;
  readonly name: string;
  readonly model: string;
  readonly modelName: string;
}

export interface KeychainItem extends Identity {
  /** PayloadIdentifier of the profile that brought it; it goes with that profile. */
  readonly profile: string;
  readonly isExtractable: boolean;
  readonly isUsableByAll: boolean;
}

export class MacState {
  readonly hardware: Hardware;
  profiles: Dict[] = [];
  keychain: KeychainItem[] = [];
  /** Bundle identifiers to ManagedApplicationList's Status. */
  readonly apps = new Map<string, 'Managed' | 'Installing'>();

  constructor(hardware: Hardware) {
    this.hardware = hardware;
  }

  /** Takes a profile away with everything that it brought. */
  remove(identifier: string): boolean {
    const kept = this.profiles.filter((profile) => textIn(profile, 'PayloadIdentifier') !== identifier);
    const isThere = kept.length < this.profiles.length;
    this.profiles = kept;
    this.keychain = this.keychain.filter(({ profile }) => profile !== identifier);
    return isThere;
  }

  payloads(type: string): Dict[] {
    return this.profiles
      .flatMap((profile) => dictsIn(profile['PayloadContent']))
      .filter((payload) => payload['PayloadType'] === type);
  }

  identifiers(): string[] {
    return this.profiles.map((profile) => textIn(profile, 'PayloadIdentifier')).sort();
  }

  certificates(): X509Certificate[] {
    return this.keychain.map(({ certificate }) => new X509Certificate(certificate));
  }
}

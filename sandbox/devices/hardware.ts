// Models of pretend devices and made-up but well-formed numbers for them.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { type DeviceFamily, type Platform, platformOf } from '../../domain/device.ts';
import type { Hardware } from './device-state.ts';

interface Model {
  readonly productName: string;
  readonly modelName: string;
  readonly osVersion: string;
  readonly buildVersion: string;
}

const MODELS: Readonly<Record<DeviceFamily, readonly Model[]>> = {
  Mac: [
    { productName: 'Mac14,2', modelName: 'MacBook Air', osVersion: '26.1', buildVersion: '25B78' },
    { productName: 'Mac15,6', modelName: 'MacBook Pro', osVersion: '15.7.2', buildVersion: '24G325' },
    { productName: 'Mac16,10', modelName: 'Mac mini', osVersion: '26.1', buildVersion: '25B78' },
    { productName: 'MacBookPro18,3', modelName: 'MacBook Pro', osVersion: '14.8.2', buildVersion: '23J126' },
    { productName: 'iMac18,3', modelName: 'iMac', osVersion: '13.7.8', buildVersion: '22H730' },
  ],
  iPhone: [
    { productName: 'iPhone17,3', modelName: 'iPhone 16', osVersion: '26.1', buildVersion: '23B85' },
    { productName: 'iPhone15,2', modelName: 'iPhone 14 Pro', osVersion: '18.7.2', buildVersion: '22H124' },
    { productName: 'iPhone12,8', modelName: 'iPhone SE', osVersion: '17.7.2', buildVersion: '21H221' },
    { productName: 'iPhone10,3', modelName: 'iPhone X', osVersion: '16.7.12', buildVersion: '20H364' },
  ],
  iPad: [
    { productName: 'iPad14,8', modelName: 'iPad Air', osVersion: '26.1', buildVersion: '23B85' },
    { productName: 'iPad7,5', modelName: 'iPad', osVersion: '17.7.10', buildVersion: '21H450' },
  ],
  // What Odette does not support: it may enroll, as anything may that is given a profile.
  Other: [
    {
      productName: 'RealityDevice14,1',
      modelName: 'Apple Vision Pro',
      osVersion: '26.1',
      buildVersion: '23N49',
    },
    { productName: 'AppleTV14,1', modelName: 'Apple TV 4K', osVersion: '26.1', buildVersion: '23J579' },
    { productName: '', modelName: '', osVersion: '26.1', buildVersion: '23B85' },
  ],
};

/** The OS versions that pretend devices of a platform report, each once. */
export const osVersionsOf = (platform: Platform): string[] => [
  ...new Set(
    Object.entries(MODELS)
      .filter(([family]) => family !== 'Other' && platformOf(family as DeviceFamily) === platform)
      .flatMap(([, models]) => models.map(({ osVersion }) => osVersion)),
  ),
];

/** Letters and digits of Apple's serial numbers since 2021: no vowels but A, E, U, Y; no I or O. */
const SERIAL_ALPHABET = '0123456789CDFGHJKLMNPQRTVWXY';

const newSerialNumber = (): string =>
  Array.from({ length: 10 }, () => SERIAL_ALPHABET[randomInt(SERIAL_ALPHABET.length)]).join('');

/** Macs name themselves by a UUID, iPhones and iPads by ECID and chip. */
const newUdid = (family: DeviceFamily): string =>
  family === 'Mac' ? randomUUID().toUpperCase() : `00008130-${randomBytes(8).toString('hex').toUpperCase()}`;

export function newHardware(
  family: DeviceFamily,
  deviceName: string,
  given: Partial<Hardware>,
  nth = 0,
): Hardware {
  const models = MODELS[family];
  const model = models[nth % models.length];
  if (!model) throw new Error(`no model of ${family}`);
  return { ...model, udid: newUdid(family), serialNumber: newSerialNumber(), deviceName, ...given };
}

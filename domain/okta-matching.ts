// Which record of Okta's belongs to which device: Macs by serial number, iPhones and iPads by user and model.
import type { OktaMatch } from './trust-derivation.ts';

export interface OktaRecord {
  readonly oktaId: string;
  readonly platform: string; // MACOS | IOS | …
  readonly serialNumber: string | null;
  readonly udid: string | null;
  readonly model: string | null;
  readonly status: string;
  readonly logins: readonly string[];
  readonly createdAtMs: number;
}

export interface MatchableDevice {
  readonly deviceId: string;
  readonly platform: 'macOS' | 'iOS';
  readonly serialNumber: string | null;
  readonly udid: string;
  readonly model: string | null;
  readonly userName: string | null;
}

export interface Matched {
  readonly oktaId: string;
  readonly deviceId: string;
  readonly match: OktaMatch;
}

const same = (one: string | null, other: string | null): boolean =>
  one !== null && other !== null && one.toLowerCase() === other.toLowerCase();

/** Of several records with one Mac's serial number the newest ACTIVE counts; if none is ACTIVE, the newest. */
const newestActive = (records: readonly OktaRecord[]): OktaRecord | undefined =>
  [...records].sort(
    (one, other) =>
      Number(other.status === 'ACTIVE') - Number(one.status === 'ACTIVE') ||
      other.createdAtMs - one.createdAtMs,
  )[0];

/**
 * The serial number is what a device says of itself. Where two say the same one, the record is that of the Mac with its UDID,
 * which no other can take while that one is enrolled.
 */
const isOfMac = (record: OktaRecord, device: MatchableDevice, devices: readonly MatchableDevice[]): boolean =>
  record.platform === 'MACOS' &&
  same(record.serialNumber, device.serialNumber) &&
  (same(record.udid, device.udid) ||
    !devices.some((other) => other !== device && same(other.serialNumber, device.serialNumber)));

const isAlike = (record: OktaRecord, device: MatchableDevice): boolean =>
  record.logins.some((login) => same(login, device.userName)) && same(record.model, device.model);

/** Matches of the given devices among the given records. Devices without one are left out. */
export function matchRecords(records: readonly OktaRecord[], devices: readonly MatchableDevice[]): Matched[] {
  return devices.flatMap((device): Matched[] => {
    if (device.platform === 'macOS') {
      const record = newestActive(records.filter((each) => isOfMac(each, device, devices)));
      if (record === undefined) return [];
      return [{ oktaId: record.oktaId, deviceId: device.deviceId, match: 'serial_number' }];
    }
    const alike = records.filter(
      (record) => record.platform === 'IOS' && record.status === 'ACTIVE' && isAlike(record, device),
    );
    const [first] = alike;
    if (first === undefined) return [];
    // Two records for one device, or two devices for one record: nothing can be said.
    const rivals = devices.filter((other) => other.platform === 'iOS' && isAlike(first, other));
    const match = alike.length > 1 || rivals.length > 1 ? 'ambiguous' : 'user_and_model';
    return [{ oktaId: first.oktaId, deviceId: device.deviceId, match }];
  });
}

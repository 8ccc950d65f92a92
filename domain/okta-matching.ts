// Which record of Okta's belongs to which device: Macs by serial number, iPhones and iPads by user and model.
import { ACTIVE_STATUSES, type OktaMatch } from './okta-finding.ts';

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
  /** When this enrollment first acknowledged its app configuration, with the management hint; null: it has not. */
  readonly configuredAtMs: number | null;
}

export interface Matched {
  readonly oktaId: string;
  readonly deviceId: string;
  readonly match: OktaMatch;
}

const same = (one: string | null, other: string | null): boolean =>
  one !== null && other !== null && one.toLowerCase() === other.toLowerCase();

const isActive = ({ status }: OktaRecord): boolean => ACTIVE_STATUSES.includes(status);

/** Of several records with one Mac's serial number the newest ACTIVE counts; if none is ACTIVE, the newest. */
const newestActive = (records: readonly OktaRecord[]): OktaRecord | undefined =>
  [...records].sort(
    (one, other) => Number(isActive(other)) - Number(isActive(one)) || other.createdAtMs - one.createdAtMs,
  )[0];

/**
 * A serial number is no identity: a replaced logic board and a cloned virtual machine bring the same one with another UDID. A record
 * that names a UDID is that Mac's alone; one that names none belongs to the only Mac with its serial number.
 */
function isOfMac(record: OktaRecord, device: MatchableDevice, devices: readonly MatchableDevice[]): boolean {
  if (record.platform !== 'MACOS' || !same(record.serialNumber, device.serialNumber)) return false;
  if (record.udid !== null) return same(record.udid, device.udid);
  return !devices.some((other) => other !== device && same(other.serialNumber, device.serialNumber));
}

const isAlike = (record: OktaRecord, device: MatchableDevice): boolean =>
  record.logins.some((login) => same(login, device.userName)) && same(record.model, device.model);

/**
 * Of several records of one user and model the newest is likely this device's, if it was made after the device got the configuration
 * with which it registers. Two devices for one record: nothing can be said.
 */
function chosenOf(
  alike: readonly OktaRecord[],
  device: MatchableDevice,
  hasRivals: boolean,
): Pick<Matched, 'oktaId' | 'match'> {
  const newest = alike.reduce((one, other) => (other.createdAtMs > one.createdAtMs ? other : one));
  if (hasRivals) return { oktaId: newest.oktaId, match: 'ambiguous' };
  if (alike.length === 1) return { oktaId: newest.oktaId, match: 'user_and_model' };
  const isLater = device.configuredAtMs !== null && newest.createdAtMs > device.configuredAtMs;
  return { oktaId: newest.oktaId, match: isLater ? 'likely' : 'ambiguous' };
}

/** Matches of the given devices among the given records. Devices without one are left out. */
export function matchRecords(records: readonly OktaRecord[], devices: readonly MatchableDevice[]): Matched[] {
  return devices.flatMap((device): Matched[] => {
    if (device.platform === 'macOS') {
      const record = newestActive(records.filter((each) => isOfMac(each, device, devices)));
      if (record === undefined) return [];
      return [{ oktaId: record.oktaId, deviceId: device.deviceId, match: 'serial_number' }];
    }
    const alike = records.filter(
      (record) => record.platform === 'IOS' && isActive(record) && isAlike(record, device),
    );
    const [first] = alike;
    if (first === undefined) return [];
    const rivals = devices.filter((other) => other.platform === 'iOS' && isAlike(first, other));
    return [{ deviceId: device.deviceId, ...chosenOf(alike, device, rivals.length > 1) }];
  });
}

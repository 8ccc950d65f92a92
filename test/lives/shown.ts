// Whether Odette shows what is true: compares a device of the sandbox, and what its Okta says, with Odette's page of the device.
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { ResponseOf } from '../../api/contract/client.ts';

export type ShownDevice = ResponseOf<'get /api/devices/{id}'>;

/** How a device stands with its server, as the device knows it. */
export type Standing = 'enrolled' | 'left' | 'erased' | 'refused';

/** The parts of GET /devices/{name} that are compared. */
export interface PretendState {
  readonly family: 'Mac' | 'iPhone' | 'iPad';
  readonly hardware: { readonly udid: string; readonly serialNumber: string; readonly productName: string };
  readonly isEnrolled: boolean;
  readonly keychain: readonly { isMdmIdentity: boolean; hasPrivateKey: boolean; serialNumber: string }[];
  readonly profiles: readonly { isManaged: boolean; identifier: string; uuid: string }[];
  readonly apps: readonly { bundleId: string; status?: string; configuration: object | null }[];
  readonly oktaVerify: { readonly oktaDeviceId?: string };
  readonly counts: Readonly<Record<string, number>>;
}

export interface OktaRecord {
  readonly id: string;
  readonly created: string;
  readonly status: 'ACTIVE' | 'DEACTIVATED' | 'SUSPENDED';
  readonly profile: {
    readonly platform: 'MACOS' | 'IOS';
    readonly registered: boolean;
    readonly model: string;
    readonly serialNumber?: string;
    readonly udid?: string;
  };
  readonly users: readonly { readonly userId: string; readonly managementStatus: string }[];
}

interface LivedWorld {
  readonly device: PretendState;
  readonly records: readonly OktaRecord[];
  readonly logins: ReadonlyMap<string, string>;
  readonly standing: Standing;
  /** What the last code, or an admin, named. */
  readonly user: string | null;
  /** Another board of this serial number is known to Odette, and silent. */
  readonly hadBoards: boolean;
}

/** Every difference, as a sentence; none: Odette shows what is true, and where nothing stands in the way the device is trusted. */
export function differences(world: LivedWorld, shown: ShownDevice): string[] {
  const { standing } = world;
  const found: string[] = [];
  const same = (what: string, isShown: unknown, is: unknown): void => {
    if (isShown !== is) found.push(`${what}: Odette shows ${String(isShown)}, it is ${String(is)}`);
  };
  same('user', shown.user, world.user);
  switch (standing) {
    case 'left':
      same('enrollment', shown.enrollmentStatus, 'checked_out');
      same('bucket', shown.bucket, 'left');
      return found;
    case 'erased':
      same('enrollment', shown.enrollmentStatus, 'unreachable');
      same('bucket', shown.bucket, 'unreachable');
      return found;
    case 'refused':
      same('asks to return', shown.returnAskedAt !== null, true);
      same('bucket', shown.bucket, 'needs_you');
      return found;
    case 'enrolled':
      same('enrollment', shown.enrollmentStatus, 'enrolled');
      same('asks to return', shown.returnAskedAt, null);
      compareDevice(world, shown, same);
      compareOkta(world, shown, same);
      return found;
  }
}

type Same = (what: string, isShown: unknown, is: unknown) => void;

function compareDevice({ device }: LivedWorld, shown: ShownDevice, same: Same): void {
  const isMac = device.family === 'Mac';
  const certificates = device.keychain.filter((item) => item.hasPrivateKey && !item.isMdmIdentity);
  const app = device.apps.find(({ bundleId }) => bundleId === OKTA_VERIFY.bundleId);
  const managed = device.profiles.filter(({ isManaged }) => isManaged);
  same('Okta Verify is managed', shown.truths.oktaVerifyManaged, app?.status === 'Managed');
  if (isMac) {
    same('there is a certificate', shown.truths.certificatePresent, certificates.length > 0);
    const proven = shown.certificates.filter(
      ({ state, removedAt }) => state === 'proven' && removedAt === null,
    );
    const serials = (list: readonly { serialNumber: string | null }[]): string =>
      list
        .map(({ serialNumber }) => String(serialNumber).toLowerCase())
        .sort()
        .join();
    same('certificates', serials(proven), serials(certificates));
  }
  for (const { kind, identifier, payloadUuid, onDevice } of shown.payloadSet)
    if (kind !== 'app_configuration')
      same(
        `${kind} profile`,
        onDevice,
        managed.some((profile) => profile.identifier === identifier && profile.uuid === payloadUuid),
      );
  // Settings, single sign-on and a certificate; or single sign-on alone, and the configuration of the app.
  const isWhole = managed.length === (isMac ? 3 : 1) && (isMac || app?.configuration != null);
  same('delivered', shown.truths.delivered, isWhole);
}

function compareOkta(world: LivedWorld, shown: ShownDevice, same: Same): void {
  const { device, records, logins, user } = world;
  const isMac = device.family === 'Mac';
  const alike = records.filter(({ profile, users, status }) =>
    isMac
      ? profile.udid === device.hardware.udid && profile.serialNumber === device.hardware.serialNumber
      : profile.platform === 'IOS' &&
        status === 'ACTIVE' &&
        profile.model === device.hardware.productName &&
        users.some(({ userId }) => logins.get(userId) === user),
  );
  const newest = alike.toSorted(
    (one, other) =>
      Number(other.status === 'ACTIVE') - Number(one.status === 'ACTIVE') ||
      other.created.localeCompare(one.created),
  )[0];
  const isManaged =
    newest?.users.some(
      ({ userId, managementStatus }) =>
        managementStatus === 'MANAGED' && (user === null || logins.get(userId) === user),
    ) ?? false;
  const own = records.find(({ id }) => id === device.oktaVerify.oktaDeviceId);
  const isUnknown = shown.oktaFinding?.kind === 'user_unknown' || shown.oktaFinding?.kind === 'records_alike';
  if (isUnknown) {
    const hasReason = !isMac && (user === null || alike.length > 1 || world.hadBoards);
    same('what cannot be known of Okta’s records has a reason', hasReason, true);
    same('bucket', shown.bucket, 'needs_you');
    return;
  }
  const isActive = newest?.status === 'ACTIVE';
  same('registered', shown.truths.registered, isActive && newest.profile.registered);
  same('managed', shown.truths.managed, isActive && isManaged);
  // Nothing stands in the way but an Okta admin. A suspended Mac gets no certificate, so it does not register anew either.
  const isStopped = newest?.status !== 'ACTIVE' || own?.status !== 'ACTIVE';
  const isSuspended = isMac && newest?.status === 'SUSPENDED';
  if (!isSuspended && (own === undefined || !isStopped)) same('bucket', shown.bucket, 'trusted');
  else if (isMac) same('bucket', shown.bucket, 'needs_you');
}

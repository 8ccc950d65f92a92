// A FastPass sign-in at a pretend tenant: registers the device, looks at its proof of management, and says MANAGED or NOT_MANAGED.
import { createHmac, randomBytes, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';
import { readCertificate, type Certificate } from '../../adapters/pki/certificate.ts';
import { judge, open } from './authority.ts';
import type {
  FastPassChallenge,
  FastPassResult,
  FastPassSignIn,
  ManagementReason,
} from './fastpass-message.ts';
import { refuse } from './refusals.ts';
import { appendLog, certificateTarget } from './system-log.ts';
import type { Tenant, TenantResponse, TenantRequest } from './tenant.ts';
import { oktaId, type DeviceRecord, type User } from './tenant-state.ts';

const text = z.string().max(512);
const SignIn = z.object({
  nonce: text,
  user: text.min(1),
  device: z.object({
    oktaDeviceId: text.optional(),
    platform: z.enum(['MACOS', 'IOS']),
    displayName: text.min(1),
    model: text,
    osVersion: text,
    serialNumber: text.optional(),
    udid: text.optional(),
  }),
  attestation: z.object({ certificate: z.string(), signature: z.string() }).optional(),
  managementHint: text.optional(),
});
type SignInRead = z.infer<typeof SignIn>;

const REFUSED = {
  foreign: 'foreign_certificate',
  revoked: 'certificate_revoked',
  expired: 'certificate_expired',
} as const satisfies Record<string, ManagementReason>;

const NONCE_LIFE_MS = 5 * 60_000;

export class FastPassRoute {
  readonly #tenant: Tenant;
  readonly #nonceKey = randomBytes(32);
  readonly #used = new Set<string>();

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  async handle(request: TenantRequest): Promise<TenantResponse> {
    if (request.method === 'GET') return { status: 200, body: this.#challenge() };
    if (request.method !== 'POST') return refuse('E0000022');
    const read = SignIn.safeParse(asJson(request.body));
    if (!read.success) return refuse('E0000001', {}, read.error.issues[0]?.path.join('.') ?? 'body');
    if (!this.#isFresh(read.data.nonce)) return refuse('E0000001', {}, 'nonce');
    return { status: 200, body: await this.#signIn(read.data) };
  }

  #challenge(): FastPassChallenge {
    const fresh = `${Date.now()}.${randomBytes(12).toString('base64url')}`;
    const { intermediates } = this.#tenant.state.authority;
    return {
      nonce: `${fresh}.${this.#mac(fresh)}`,
      trustedIssuers: intermediates.map((kept) => open(kept).certificate.subject),
    };
  }

  #mac(value: string): string {
    return createHmac('sha256', this.#nonceKey).update(value).digest('base64url');
  }

  #isFresh(nonce: string): boolean {
    const [at = '', random = '', mac = ''] = nonce.split('.');
    const expected = Buffer.from(this.#mac(`${at}.${random}`));
    const given = Buffer.from(mac);
    const isOurs = expected.length === given.length && timingSafeEqual(expected, given);
    if (!isOurs || Date.now() - Number(at) > NONCE_LIFE_MS || this.#used.has(nonce)) return false;
    this.#used.add(nonce);
    return true;
  }

  async #signIn(signIn: SignInRead): Promise<FastPassResult> {
    const tenant = this.#tenant;
    const user = userOf(tenant, signIn.user);
    const device = deviceOf(tenant, signIn);
    const { reason, bind } = this.#judge(signIn, device);
    const managementStatus = reason === 'managed' ? 'MANAGED' : 'NOT_MANAGED';
    tenant.changeDevice(device, (changed) => {
      const { oktaDeviceId: _, platform: __, ...facts } = signIn.device;
      Object.assign(changed.profile, changingFacts(facts), { registered: true });
      const known = changed.users.find(({ userId }) => userId === user.id);
      if (known !== undefined) known.managementStatus = managementStatus;
      // A device that is not active keeps no users; whoever signs in there is not linked to it.
      else if (changed.status !== 'DEACTIVATED') {
        changed.users.push({ userId: user.id, managementStatus, created: tenant.isoNow() });
      }
      changed.profile.managed = changed.users.some((one) => one.managementStatus === 'MANAGED');
    });
    bind?.();
    tenant.count('signIns');
    tenant.count(`signIns.${reason}`);
    await tenant.save();
    return { oktaDeviceId: device.id, registered: true, managementStatus, reason };
  }

  #judge(signIn: SignInRead, device: DeviceRecord): { reason: ManagementReason; bind?: () => void } {
    if (device.status !== 'ACTIVE' && device.status !== 'UNSUSPENDED') return { reason: 'device_not_active' };
    return signIn.device.platform === 'IOS'
      ? { reason: this.#judgeHint(signIn) }
      : this.#judgeCertificate(signIn, device);
  }

  #judgeHint({ managementHint }: SignInRead): ManagementReason {
    const platforms = this.#tenant.state.platforms.filter((known) => known.platform === 'iOS');
    if (platforms.length === 0) return 'no_platform';
    if (managementHint === undefined) return 'no_management_hint';
    return platforms.some(({ secretKey }) => secretKey === managementHint)
      ? 'managed'
      : 'management_hint_wrong';
  }

  #judgeCertificate(
    { attestation, nonce }: SignInRead,
    device: DeviceRecord,
  ): { reason: ManagementReason; bind?: () => void } {
    if (attestation === undefined) return { reason: 'no_certificate' };
    const certificate = readLeaf(attestation.certificate);
    if (certificate === undefined) return { reason: 'foreign_certificate' };
    if (!isSigned(certificate, nonce, attestation.signature)) return { reason: 'signature_wrong' };
    const judgement = judge(this.#tenant, certificate);
    if (judgement.kind !== 'good') return { reason: REFUSED[judgement.kind] };
    const { issued } = judgement;
    // Bound to the device of its first use; it cannot serve another.
    if (issued.boundTo !== undefined && issued.boundTo !== device.id)
      return { reason: 'certificate_of_another_device' };
    const bind = () => {
      if (issued.boundTo === undefined)
        appendLog(this.#tenant, 'pki.cert.bind', [
          { id: device.id, type: 'UDDevice', displayName: device.profile.displayName },
          certificateTarget(issued),
        ]);
      issued.boundTo = device.id;
      issued.lastUsedAt = this.#tenant.now();
    };
    return { reason: 'managed', bind };
  }
}

function isSigned(certificate: Certificate, nonce: string, signature: string): boolean {
  return verify(
    'sha256',
    Buffer.from(nonce, 'utf8'),
    certificate.publicKey,
    Buffer.from(signature, 'base64'),
  );
}

function readLeaf(base64: string): Certificate | undefined {
  try {
    return readCertificate(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

/** Whoever signs in exists: the sandbox keeps no directory of its own. */
function userOf(tenant: Tenant, login: string): User {
  const known = tenant.state.users.find((user) => user.login.toLowerCase() === login.toLowerCase());
  if (known !== undefined) return known;
  const user: User = { id: oktaId('00u'), login, created: tenant.isoNow() };
  tenant.state.users.push(user);
  return user;
}

/** Okta Verify keeps the id it got; without one, or when it was deleted here, it registers anew. */
function deviceOf(
  tenant: Tenant,
  { device }: { device: FastPassSignIn['device'] | SignInRead['device'] },
): DeviceRecord {
  const known = tenant.state.devices.find(({ id }) => id === device.oktaDeviceId);
  if (known !== undefined) return known;
  const { displayName, platform, model, osVersion, serialNumber, udid } = device;
  const isMac = platform === 'MACOS';
  const record: DeviceRecord = {
    id: oktaId('guo'),
    created: tenant.isoNow(),
    lastUpdated: tenant.isoNow(),
    status: 'ACTIVE',
    profile: {
      displayName,
      platform,
      registered: true,
      managed: false,
      model,
      osVersion,
      manufacturer: 'APPLE',
      secureHardwarePresent: true,
      diskEncryptionType: isMac ? 'ALL_INTERNAL_VOLUMES' : 'FULL',
      ...(isMac && serialNumber !== undefined ? { serialNumber } : {}),
      ...(isMac && udid !== undefined ? { udid } : {}),
    },
    users: [],
  };
  tenant.addDevice(record);
  return record;
}

/** Serial number and UDID are taken once, at registration. */
function changingFacts({
  serialNumber: _,
  udid: __,
  ...facts
}: Omit<SignInRead['device'], 'platform' | 'oktaDeviceId'>) {
  return facts;
}

function asJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

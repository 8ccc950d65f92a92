// Enrollment in a browser of the device: a page for the code, and for a good code the signed profile that enrolls it.
import express, { type Request, type Response, type Router } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import {
  type Enrollment,
  enrollmentAddresses,
  enrollmentProfile,
} from '../../adapters/mdm/payloads/enrollment.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import { signAttached } from '../../adapters/pki/cms.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { readOrganization, readOrganizationLogo } from '../../adapters/store/base/organization.ts';
import { redeemEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import { findEnrollmentOutcome, newIdentity } from '../../adapters/store/devices/identity-certificates.ts';
import { currentPushCertificate } from '../../adapters/store/devices/push-certificates.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { enrollPage } from './enroll-page.ts';
import { ENROLL_SCRIPT } from './enroll-script.ts';
import type { IdentityAuthority } from './identity-authority.ts';

export interface EnrollDependencies {
  readonly database: Database;
  readonly authority: () => Promise<IdentityAuthority>;
  /** The https address under which devices reach this listener; undefined: not set yet. */
  readonly publicUrl: string | undefined;
  /** The certificate of this listener, where files are given: devices trust its authority, so they show the profile as verified. */
  readonly tls: (() => ProfileSigner) | undefined;
}

export interface ProfileSigner extends KeyAndCertificate {
  /** Between the signer and an authority that devices know. */
  readonly chain: readonly Certificate[];
}

/** Wrong codes from one address: a code has 60 bits, so this is about noise rather than luck. */
const WRONG_CODES = { points: 10, duration: 60 };

export function enrollRoute(dependencies: EnrollDependencies): Router {
  const router = express.Router();
  const wrongCodes = new RateLimiterMemory(WRONG_CODES);
  const page = async (response: Response, status: number, problem?: string): Promise<void> => {
    const { name, logoHash } = await readOrganization(dependencies.database);
    const html = enrollPage({ name, hasLogo: logoHash !== null }, problem);
    response.status(status).type('text/html').send(html);
  };
  router.get('/enroll', (_request, response) => page(response, 200));
  router.get('/enroll/logo.png', async (_request, response, next) => {
    const logo = await readOrganizationLogo(dependencies.database);
    if (logo === undefined) return next();
    response.type('image/png').send(logo);
  });
  router.get('/enroll.js', (_request, response) => {
    response.type('text/javascript').send(ENROLL_SCRIPT);
  });
  router.get('/enroll/outcome', async (request, response) => {
    const id = identityIdIn(request);
    const outcome = id === undefined ? undefined : await findEnrollmentOutcome(dependencies.database, id);
    response.json({ state: stateOf(outcome) });
  });
  router.post('/enroll', express.urlencoded({ extended: false, limit: '4kb' }), async (request, response) => {
    const source = request.ip ?? '';
    const spent = await wrongCodes.get(source);
    if (spent && spent.remainingPoints <= 0) {
      response.set('Retry-After', String(Math.ceil(spent.msBeforeNext / 1000)));
      return page(response, 429, 'Too many wrong codes. Wait a minute, then try again.');
    }
    const redeemed = await redeem(dependencies, codeOf(request), identityIdIn(request));
    if (redeemed === 'not_ready')
      return page(response, 503, 'This server is not ready to enroll devices. Tell your admin.');
    if (redeemed === 'refused') {
      await wrongCodes.penalty(source);
      return page(
        response,
        403,
        'This code is wrong, used up, revoked or expired. Check it, or ask your admin for a new one.',
      );
    }
    response
      .status(200)
      .cookie(COOKIE, redeemed.identityId, {
        httpOnly: true,
        secure: request.secure,
        sameSite: 'strict',
        path: '/enroll',
        maxAge: COOKIE_MS,
      })
      .type('application/x-apple-aspen-config')
      .set('Content-Disposition', 'attachment; filename="enroll.mobileconfig"')
      .send(redeemed.profile);
  });
  return router;
}

/** Ties the page to the profile that it downloaded, so that it can tell how the enrollment went. As long as the challenge lives. */
const COOKIE = 'odette_enrollment';
const COOKIE_MS = 3_600_000;

function identityIdIn(request: Request): string | undefined {
  const found = /(?:^|;\s*)odette_enrollment=([0-9a-f-]{36})(?:;|$)/.exec(request.headers.cookie ?? '');
  return found?.[1];
}

type Outcome = Awaited<ReturnType<typeof findEnrollmentOutcome>>;

/** ask_admin: the device was enrolled before, and an admin has to allow it. */
function stateOf(outcome: Outcome): 'none' | 'waiting' | 'enrolled' | 'ask_admin' | 'refused' {
  if (outcome === undefined) return 'none';
  if (outcome.isEnrolled) return 'enrolled';
  if (outcome.refusedCode === null) return 'waiting';
  return outcome.refusedCode === 'enrollment.takeover_refused' ? 'ask_admin' : 'refused';
}

function codeOf(request: Request): string {
  const body: unknown = request.body;
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return typeof code === 'string' ? code.slice(0, 64) : '';
}

async function redeem(
  { database, authority, publicUrl, tls }: EnrollDependencies,
  code: string,
  replaced: string | undefined,
): Promise<{ readonly profile: Buffer; readonly identityId: string } | 'refused' | 'not_ready'> {
  const { authority: issuer, profileSigner } = await authority();
  const push = await currentPushCertificate(database);
  // A code must not be used up while its profile could not work.
  if (publicUrl === undefined || push === undefined) return 'not_ready';
  const identity = await database.inTransaction(async (sql) => {
    const redeemed = await redeemEnrollmentCode(sql, code, replaced);
    if (!redeemed) return undefined;
    await appendAudit(sql, {
      actor: 'system',
      action: 'enrollment.code_used',
      subject: `enrollment_code:${redeemed.id}`,
    });
    return newIdentity(sql, { enrollmentCodeId: redeemed.id });
  });
  if (identity === undefined) return 'refused';
  const { id: identityId, challenge } = identity;
  const { topic, accessRights } = push;
  const content = { ...enrollmentAddresses(publicUrl), topic, accessRights, challenge };
  const profile = signedEnrollmentProfile(
    content,
    tls?.() ?? { ...profileSigner, chain: [issuer.certificate] },
  );
  return { profile, identityId };
}

/** The profile with which a device enrolls. */
function signedEnrollmentProfile(content: Enrollment, { chain, ...signer }: ProfileSigner): Buffer {
  if (!content.mdmUrl.startsWith('https://'))
    throw new CataloguedError('server.failed', { facts: { reason: 'public URL' } });
  return signAttached(enrollmentProfile(content).xml, signer, chain);
}

// The challenge page of a pretend macOS platform: Basic credentials in, one fresh challenge out.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Tenant, TenantResponse } from './tenant.ts';
import type { MacPlatform } from './tenant-state.ts';

const DAY_MS = 24 * 3_600_000;

export async function handleChallenge(
  tenant: Tenant,
  platform: MacPlatform,
  authorization: string | undefined,
): Promise<TenantResponse> {
  tenant.count('challengeRequests');
  if (!isRight(platform, authorization)) {
    tenant.count('challengesRefused');
    return {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="Okta SCEP"', 'content-type': 'text/html;charset=utf-8' },
      body: '<HTML><Body><P>Unauthorized</P></Body></HTML>',
    };
  }
  const { page, encoding } = tenant.state.knobs.challenge;
  if (page === 'redirect') return { status: 302, headers: { location: `${tenant.origin}/login/login.htm` } };
  if (page === 'forbidden') return { ...html(FIREWALL_PAGE, 'utf8'), status: 403 };
  if (page !== 'challenge') return html(PAGES[page], encoding);
  const challenge = randomBytes(24).toString('base64url'); // 32 characters
  tenant.state.challenges[challenge] = { platformId: platform.id, issuedAt: tenant.now(), isRedeemed: false };
  deleteExpired(tenant);
  tenant.count('challenges');
  await tenant.save();
  return html(
    `<HTML><Body><P>The enrollment challenge password is: <B> ${challenge} </B></P></Body></HTML>`,
    encoding,
  );
}

const FIREWALL_PAGE = '<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>';
const PAGES = {
  cache_full: '<HTML><Body><P>The password cache is full.</P></Body></HTML>',
  sign_in_page:
    '<!DOCTYPE html><html><head><title>Sign In</title></head><body><form action="/login"></form></body></html>',
} as const;

function html(text: string, encoding: 'utf8' | 'utf16le' | 'utf16le-bom'): TenantResponse {
  const mark = encoding === 'utf16le-bom' ? Buffer.from([0xff, 0xfe]) : Buffer.alloc(0);
  return {
    status: 200,
    headers: { 'content-type': encoding === 'utf8' ? 'text/html;charset=utf-8' : 'text/html' },
    body: Buffer.concat([mark, Buffer.from(text, encoding === 'utf8' ? 'utf8' : 'utf16le')]),
  };
}

function isRight(platform: MacPlatform, authorization: string | undefined): boolean {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization ?? '')?.[1] ?? '';
  const given = Buffer.from(encoded, 'base64');
  const expected = Buffer.from(`${platform.username}:${platform.password}`, 'utf8');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Old ones are refused anyway; a day more lets people look at them. */
function deleteExpired(tenant: Tenant): void {
  const oldest = tenant.now() - tenant.state.knobs.challenge.lifeSeconds * 1_000 - DAY_MS;
  for (const [challenge, { issuedAt }] of Object.entries(tenant.state.challenges)) {
    if (issuedAt < oldest) delete tenant.state.challenges[challenge];
  }
}

/** Uses the challenge up. False when it is unknown, of another platform, too old or used. */
export function redeemChallenge(
  tenant: Tenant,
  platform: MacPlatform,
  challenge: string | undefined,
): boolean {
  const known = challenge === undefined ? undefined : tenant.state.challenges[challenge];
  const lifeMs = tenant.state.knobs.challenge.lifeSeconds * 1_000;
  if (known === undefined || known.platformId !== platform.id || known.isRedeemed) return false;
  if (tenant.now() >= known.issuedAt + lifeMs) return false;
  known.isRedeemed = true;
  return true;
}

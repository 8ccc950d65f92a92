// The enrollment page, codes, the signed profile and the one certificate of its challenge.
// Long, because an enrollment is one path from the page to the certificate, and each step has its refusals.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newRsaKeyPair, selfSign } from '../../adapters/pki/certificate-authority.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { readSignedData } from '../../adapters/pki/signed-data.ts';
import { enrollWithScep, getCaCaps, getCaCert } from '../../test/harness/scep-client.ts';
import { enrollmentCodeHash, newEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import { startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import { writeOrganization } from '../../adapters/store/base/organization.ts';
import { challengeFor } from '../../test/harness/protocol-device.ts';
import { identityAuthority } from './identity-authority.ts';

let listener: DeviceListener;
const logged: Record<string, unknown>[] = [];
beforeAll(async () => {
  const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>);
  listener = await startDeviceListener({ log: pino({}, { write }) });
});
afterAll(() => listener.stop());

const enter = (code: string) =>
  fetch(`${listener.url}/enroll`, { method: 'POST', body: new URLSearchParams({ code }) });

describe('the enrollment page', () => {
  test('loads one script of its own and nothing else, and says so to the browser', async () => {
    const response = await fetch(`${listener.url}/enroll`);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none';script-src 'self';style-src 'sha256-[^']+';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'$/,
    );
    expect(page.match(/<script[^]*?<\/script>|src=|href=|style="|\son\w+=/g)).toEqual([
      '<script src="enroll.js" defer></script>',
    ]);
    const script = await fetch(`${listener.url}/enroll.js`);
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    expect(page).toMatch(
      /<html lang="en">[\s\S]*<meta name="viewport"[\s\S]*<label for="code">[\s\S]*<input id="code"/,
    );
  });

  test('shows the name and the logo of the organization as text and picture, and nothing where nobody gave them', async () => {
    const shown = async () => (await fetch(`${listener.url}/enroll`)).text();
    const logo = () => fetch(`${listener.url}/enroll/logo.png`);
    expect(await shown()).toContain('<p>Your organization will manage this device.');
    expect((await logo()).status).toBe(404);
    const name = 'Acme & Sons <script>alert(1)</script>';
    await writeOrganization(listener.database, name, Buffer.from('a picture'));
    const page = await shown();
    expect(page).toContain(
      '<p>Acme &amp; Sons &lt;script&gt;alert(1)&lt;/script&gt; will manage this device.',
    );
    expect(page).toContain('<header><img src="enroll/logo.png" alt="">Acme &amp; Sons');
    const picture = await logo();
    expect(await picture.text()).toBe('a picture');
    expect([picture.headers.get('content-type'), picture.headers.get('x-content-type-options')]).toEqual([
      'image/png',
      'nosniff',
    ]);
    await writeOrganization(listener.database, null, null);
    expect(await shown()).toContain('<p>Your organization will manage this device.');
    expect((await logo()).status).toBe(404);
  });

  test('a wrong code brings the page back with a sentence, and says nothing of why', async () => {
    const used = await listener.newCode({ maxUses: 0 });
    const expired = await listener.newCode({ expiresInSeconds: -1 });
    const responses = await Promise.all([newEnrollmentCode(), used, expired, '', '<b>'].map(enter));
    expect(responses.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    const pages = await Promise.all(responses.map((response) => response.text()));
    expect(new Set(pages).size).toBe(1);
    expect(pages[0]).toMatch(/role="alert">This code is wrong, used up, revoked or expired\./);
  });

  test('wrong codes from one address are slowed down', async () => {
    const other = await startDeviceListener();
    const statuses = [];
    for (let index = 0; index < 12; index += 1) {
      const body = new URLSearchParams({ code: newEnrollmentCode() });
      statuses.push((await fetch(`${other.url}/enroll`, { method: 'POST', body })).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(403), 429, 429]);
    await other.stop();
  });

  test('a code may be typed in small letters, without dashes and with look-alikes', () => {
    expect(enrollmentCodeHash('abcd-0123-efgh')).toEqual(enrollmentCodeHash('ABCD O l 23EFGH'));
  });

  test('a code is used as often as it may be, also by many at once', async () => {
    const code = await listener.newCode({ maxUses: 2 });
    const statuses = (await Promise.all(Array.from({ length: 5 }, () => enter(code)))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([200, 200, 403, 403, 403]);
  });

  test('a profile that was never installed gives its use back, to the browser that got it and once its hour is over', async () => {
    // Its own: refusals are counted by address.
    const other = await startDeviceListener();
    const code = await other.newCode({ maxUses: 1 });
    const ask = (cookie = '') =>
      fetch(`${other.url}/enroll`, {
        method: 'POST',
        body: new URLSearchParams({ code }),
        headers: { cookie },
      });
    const first = await ask();
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect([first.status, (await ask()).status, (await ask(cookie)).status]).toEqual([200, 403, 200]);
    // The browser has another one by now, and so the first profile gives nothing back any more.
    expect((await ask(cookie)).status).toBe(403);
    await other.database.query(`update identity_certificates set challenge_expires_at = now()`);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 403]);
    // What was issued may still enroll its device.
    await other.database.query(
      `update identity_certificates set challenge_expires_at = now(), certificate = '\\x00' where certificate is null`,
    );
    expect((await ask()).status).toBe(403);
    const [row] = await other.database.query<{ uses: number }>(
      'select uses from enrollment_codes where code_hash = $1',
      [enrollmentCodeHash(code)],
    );
    expect(row?.uses).toBe(1);
    await other.stop();
  });

  test('without a push certificate no code is used up', async () => {
    const other = await startDeviceListener();
    await other.database.query('delete from push_certificates');
    const code = await other.newCode();
    const response = await fetch(`${other.url}/enroll`, {
      method: 'POST',
      body: new URLSearchParams({ code }),
    });
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('not ready')]);
    expect(await other.database.query('select uses from enrollment_codes')).toEqual([{ uses: 0 }]);
    await other.stop();
  });
});

describe('the enrollment profile', () => {
  test('is signed so that openssl verifies it, down to the identity authority', async () => {
    const response = await enter(await listener.newCode());
    expect(response.headers.get('content-type')).toMatch(/^application\/x-apple-aspen-config/);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'odette-profile-'));
    const [profile, authority] = [path.join(folder, 'p'), path.join(folder, 'ca.pem')];
    writeFileSync(profile, Buffer.from(await response.arrayBuffer()));
    writeFileSync(authority, (await listener.authority()).authority.certificate.pem);
    const words = 'smime -verify -inform der -purpose any'.split(' ');
    const xml = execFileSync('openssl', [...words, '-CAfile', authority, '-in', profile], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    rmSync(folder, { recursive: true });
    expect(xml.toString()).toContain('com.apple.mdm');
  });
});

describe('SCEP', () => {
  const scep = () => `${listener.url}/scep`;
  const challenge = async () => challengeFor(listener.url, await listener.newCode());

  test('names its capabilities and its authority', async () => {
    expect(await getCaCaps(scep())).toEqual(
      expect.arrayContaining(['POSTPKIOperation', 'SHA-256', 'AES', 'DES3']),
    );
    const [certificate] = await getCaCert(scep());
    expect(certificate?.commonName).toBe('Odette identity authority');
  });

  test.each([
    { cipher: 'aes-128-cbc', digest: 'sha256' },
    { cipher: 'des-ede3-cbc', digest: 'sha1' },
  ] as const)(
    'issues a client certificate for five years, valid since an hour ($cipher, $digest)',
    async (algorithms) => {
      const keyPair = await newRsaKeyPair();
      const subject = [['CN', 'admin']] as const;
      const certificate = await enrollWithScep({
        url: scep(),
        subject,
        challenge: await challenge(),
        keyPair,
        algorithms,
      });
      const hours = (date: Date) => Math.round((date.getTime() - Date.now()) / 3_600_000);
      expect([hours(certificate.notBefore), hours(certificate.notAfter)]).toEqual([-1, 5 * 365 * 24]);
      expect(certificate.hasClientAuth).toBe(true);
      expect(certificate.commonName).toMatch(/^device identity /);
    },
  );

  test('one challenge brings one certificate: again for the same request, none for another key', async () => {
    const [keyPair, another] = await Promise.all([newRsaKeyPair(), newRsaKeyPair()]);
    const request = { url: scep(), subject: [['CN', 'x']] as const, challenge: await challenge() };
    const first = await enrollWithScep({ ...request, keyPair });
    expect((await enrollWithScep({ ...request, keyPair })).fingerprint).toEqual(first.fingerprint);
    await expect(enrollWithScep({ ...request, keyPair: another })).rejects.toMatchObject({
      code: 'scep.request_refused',
      facts: { failInfo: 'badRequest' },
    });
  });

  test('refuses a key that is too short, and keeps the challenge for the right one', async () => {
    const request = { url: scep(), subject: [['CN', 'x']] as const, challenge: await challenge() };
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    await expect(enrollWithScep({ ...request, keyPair: short })).rejects.toMatchObject({
      code: 'scep.request_refused',
    });
    await enrollWithScep({ ...request, keyPair: await newRsaKeyPair() });
  });

  test('refuses a wrong, an absent and an expired challenge', async () => {
    const keyPair = await newRsaKeyPair();
    const expired = await challenge();
    await listener.database.query(
      `update identity_certificates set challenge_expires_at = now() where certificate is null`,
    );
    for (const each of [{ challenge: 'guess' }, {}, { challenge: expired }])
      await expect(
        enrollWithScep({ url: scep(), subject: [['CN', 'x']], keyPair, ...each }),
      ).rejects.toMatchObject({
        code: 'scep.request_refused',
      });
  });

  test('a Mac that signs with a key of its own gets a certificate for the key of its request', async () => {
    const [keyPair, own] = await Promise.all([newRsaKeyPair(), newRsaKeyPair()]);
    const hour = 3_600_000;
    const signer = selfSign(
      {
        subject: [
          ['C', 'US'],
          ['CN', 'MDM SCEP SIGNER'],
        ],
        publicKey: own.publicKey,
        notBefore: new Date(Date.now() - hour),
        notAfter: new Date(Date.now() + hour),
        use: 'registration',
      },
      own.privateKey,
    );
    const certificate = await enrollWithScep({
      url: scep(),
      subject: [['CN', 'x']],
      challenge: await challenge(),
      keyPair,
      signer: { certificate: signer, privateKey: own.privateKey },
      algorithms: { cipher: 'des-ede3-cbc', digest: 'sha1' },
    });
    expect(certificate.publicKey.equals(keyPair.publicKey)).toBe(true);
  });

  test('one address has 300 certificate requests a minute; others are served, and what costs no private key is not counted', async () => {
    const other = await startDeviceListener({ trustedProxy: '127.0.0.1/32' });
    const ask = async (operation: string, address: string): Promise<number> => {
      const response = await fetch(`${other.url}/scep?operation=${operation}`, {
        headers: { 'x-forwarded-for': address },
      });
      await response.text();
      return response.status;
    };
    const office = '192.0.2.66';
    expect(await ask('GetCACaps', office)).toBe(200);
    const statuses: number[] = [];
    for (let count = 0; count < 302; count += 1) statuses.push(await ask('PKIOperation&message=x', office));
    expect(statuses).toEqual([...Array<number>(300).fill(400), 503, 503]);
    expect(await ask('GetCACaps', office)).toBe(200);
    expect(await ask('PKIOperation&message=x', '192.0.2.1')).toBe(400);
    await other.stop();
  });

  test('each refusal is counted and logged with its reason', async () => {
    const before = await refusals();
    logged.length = 0;
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const [keyPair, another] = await Promise.all([newRsaKeyPair(), newRsaKeyPair()]);
    const request = { url: scep(), subject: [['CN', 'x']] as const, keyPair };
    const ask = (more: object) => enrollWithScep({ ...request, ...more }).catch(() => undefined);
    const used = await challenge();
    await enrollWithScep({ ...request, challenge: used });
    await ask({ challenge: used, keyPair: another });
    await ask({ challenge: await challenge(), keyPair: short });
    await ask({ challenge: 'guess' });
    await ask({});
    const expired = await challenge();
    await listener.database.query(
      `update identity_certificates set challenge_expires_at = now() where certificate is null`,
    );
    await ask({ challenge: expired });
    await fetch(`${scep()}?operation=PKIOperation`, { method: 'POST', body: 'no message' });
    const after = await refusals();
    const added = Object.entries(after).map(([reason, count]) => [reason, count - (before[reason] ?? 0)]);
    expect(Object.fromEntries(added)).toEqual({
      challenge_used: 1,
      key_too_small: 1,
      challenge_unknown: 1,
      challenge_missing: 1,
      challenge_expired: 1,
      unreadable: 1,
    });
    const lines = logged.filter(({ msg }) => msg === 'a SCEP request was refused');
    expect(lines.map(({ reason }) => reason).sort()).toEqual(added.map(([reason]) => reason).sort());
  });

  async function refusals(): Promise<Record<string, number>> {
    const text = await listener.metrics.getSingleMetricAsString('odette_scep_refusals_total');
    const rows = text.matchAll(/\{reason="(\w+)"\} (\d+)/g);
    return Object.fromEntries([...rows].map(([, reason, count]) => [reason, Number(count)]));
  }
});

test('the authority is made once, whoever asks first, and its key is stored sealed', async () => {
  const other = await startDeviceListener();
  const opened = await Promise.all([1, 2, 3].map(() => identityAuthority(other.database, other.ring)()));
  const fingerprints = new Set(
    opened.map(({ authority }) => authority.certificate.fingerprint.toString('hex')),
  );
  expect(fingerprints.size).toBe(1);
  expect(new Set(opened.map(({ profileSigner }) => profileSigner.certificate.serialNumber)).size).toBe(1);
  const secrets = await other.database.query<{ sealed: Buffer }>(
    `select sealed from secrets where kind in ('authority_key', 'profile_signing_key')`,
  );
  expect(secrets).toHaveLength(2);
  const key = opened[0]?.authority.privateKey.export({ format: 'der', type: 'pkcs8' });
  for (const { sealed } of secrets) expect(sealed.includes(key?.subarray(100, 132) ?? '')).toBe(false);
  const [saved] = await other.database.query<{ value: { certificatePem: string } }>(
    `select value from instance_settings where name = 'identity_authority'`,
  );
  expect(readCertificate(saved?.value.certificatePem ?? '').isAuthority).toBe(true);
  await other.stop();
});

describe('who signs the enrollment profile', () => {
  const signerOf = async (given: DeviceListener) => {
    const body = new URLSearchParams({ code: await given.newCode() });
    const response = await fetch(`${given.url}/enroll`, { method: 'POST', body });
    return readSignedData(Buffer.from(await response.arrayBuffer())).certificates.map(
      ({ commonName }) => commonName,
    );
  };

  test('without TLS files Odette’s own authority', async () => {
    expect(await signerOf(listener)).toEqual(['Odette configuration profiles', 'Odette identity authority']);
  });

  test('with them the certificate of the listener with its chain, also after its renewal', async () => {
    const issued = async (commonName: string) => {
      const { publicKey, privateKey } = await newRsaKeyPair();
      const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 60_000)];
      const subject = [['CN', commonName]] as const;
      return {
        certificate: selfSign({ subject, publicKey, notBefore, notAfter, use: 'signing' }, privateKey),
        privateKey,
      };
    };
    const chain = [(await issued('intermediate')).certificate];
    let current = { ...(await issued('mdm.example.com')), chain };
    const other = await startDeviceListener({ tls: () => current });
    expect(await signerOf(other)).toEqual(['mdm.example.com', 'intermediate']);
    current = { ...(await issued('mdm.example.com renewed')), chain: [] };
    expect(await signerOf(other)).toEqual(['mdm.example.com renewed']);
    await other.stop();
  });
});

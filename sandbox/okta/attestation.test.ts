// Challenge, certificate, FastPass sign-in: when a device counts as managed at the pretend tenant, and when it does not.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  CertificateAuthority,
  newRsaKeyPair,
  type KeyPair,
} from '../../adapters/pki/certificate-authority.ts';
import { enrollWithScep, getCaCert } from '../../test/harness/scep-client.ts';
import type { CataloguedError } from '../../domain/failures.ts';
import { openPretendOkta, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import * as admin from './admin.ts';
import { renewIntermediate, renewRegistration, revokeUnused } from './authority.ts';
import { changeLifecycle, deleteDevice } from './devices-route.ts';
import {
  signNonce,
  type FastPassChallenge,
  type FastPassResult,
  type FastPassSignIn,
} from './fastpass-message.ts';
import { DEFAULT_KNOBS } from './knobs.ts';
import type { DeviceRecord } from './tenant-state.ts';

const DAY_MS = 24 * 3_600_000;
const MAC = {
  platform: 'MACOS',
  displayName: 'Mac',
  model: 'Mac14,2',
  osVersion: '15.1',
  serialNumber: 'C02AB',
  udid: 'A-1',
} as const;
const IPHONE = { platform: 'IOS', displayName: 'iPhone', model: 'iPhone15,2', osVersion: '18.1' } as const;

let okta: PretendOkta;
let keys: KeyPair;
let macOS: Awaited<ReturnType<typeof admin.addMacPlatform>>;
let iOS: Awaited<ReturnType<typeof admin.addIosPlatform>>;

beforeAll(async () => {
  okta = await openPretendOkta();
  keys = await newRsaKeyPair();
  macOS = await admin.addMacPlatform(okta.tenant);
  iOS = await admin.addIosPlatform(okta.tenant, {
    providerName: 'Odette',
    enrollmentLink: 'https://odette.example/enroll',
  });
});
afterAll(async () => okta.close());
beforeEach(() => {
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
  okta.clock.move(-okta.clock.offsetMs);
});

async function challenge(): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${macOS.username}:${macOS.password}`).toString('base64')}`;
  const page = await (await fetch(macOS.challengeUrl, { headers: { authorization } })).text();
  return /<B> (\S{32}) <\/B>/.exec(page)?.[1] ?? '';
}
const enroll = async (given?: string, keyPair = keys) =>
  enrollWithScep({
    url: macOS.scepUrl,
    subject: [
      ['CN', 'C02AB managementAttestation A-1'],
      ['OU', 'odette-1'],
    ],
    challenge: given ?? (await challenge()),
    keyPair,
  });
const failInfo = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'issued',
    (error: unknown) => (error as CataloguedError).facts['failInfo'],
  );

async function signIn(
  device: FastPassSignIn['device'],
  proof: { certificate?: { der: Buffer }; privateKey?: KeyObject; managementHint?: string } = {},
): Promise<FastPassResult> {
  const url = `https://${okta.host}/sandbox/fastpass`;
  const { nonce } = (await (await fetch(url)).json()) as FastPassChallenge;
  const { certificate, privateKey = keys.privateKey, managementHint } = proof;
  const body: FastPassSignIn = {
    nonce,
    user: 'ada@acme.example',
    device,
    ...(certificate && {
      attestation: {
        certificate: certificate.der.toString('base64'),
        signature: signNonce(nonce, privateKey),
      },
    }),
    ...(managementHint !== undefined && { managementHint }),
  };
  return (await (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json()) as FastPassResult;
}

describe('the authority', () => {
  it('issues one certificate of a year for one challenge, under the intermediate', async () => {
    const given = await challenge();
    const certificate = await enroll(given);
    expect(certificate.organizationalUnits).toEqual(['odette-1']);
    expect(Math.round((certificate.notAfter.getTime() - Date.now()) / DAY_MS)).toBe(365);
    expect((await getCaCert(macOS.scepUrl)).map(({ subject }) => subject)).toContain(certificate.issuer);
    expect(await failInfo(enroll(given))).toBe('badRequest');
  });

  it('refuses a challenge that is old, made up or missing, and a key that is short', async () => {
    const old = await challenge();
    okta.clock.move(60 * 60_000);
    expect(await failInfo(enroll(old))).toBe('badRequest');
    expect(await failInfo(enroll('A'.repeat(32)))).toBe('badRequest');
    expect(await failInfo(enroll(''))).toBe('badRequest');
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(await failInfo(enroll(undefined, short))).toBe('badRequest');
  });

  it('issues for as long as it is told, and goes on after its renewals', async () => {
    okta.tenant.state.knobs.scep.certificateSeconds = 120;
    await renewRegistration(okta.tenant);
    const before = await enroll();
    expect(Math.round((before.notAfter.getTime() - Date.now()) / 1_000)).toBeLessThanOrEqual(120);
    await renewIntermediate(okta.tenant);
    await enroll();
    expect((await signIn(MAC, { certificate: before })).reason).toBe('managed');
  });
});

describe('a FastPass sign-in of a Mac', () => {
  it('makes it managed for its user, and binds the certificate to it', async () => {
    const certificate = await enroll();
    const first = await signIn(MAC);
    expect(first).toMatchObject({
      registered: true,
      managementStatus: 'NOT_MANAGED',
      reason: 'no_certificate',
    });
    const device = { ...MAC, oktaDeviceId: first.oktaDeviceId };
    expect(await signIn(device, { certificate })).toMatchObject({
      ...first,
      managementStatus: 'MANAGED',
      reason: 'managed',
    });
    const renewed = await enroll();
    expect((await signIn(device, { certificate: renewed })).reason).toBe('managed');
    expect((await signIn(MAC, { certificate })).reason).toBe('certificate_of_another_device');
    expect((await signIn(device)).managementStatus).toBe('NOT_MANAGED');
  });

  it('is not fooled by a foreign certificate, a copied one, or an expired one', async () => {
    const [notBefore, notAfter] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
    const other = await CertificateAuthority.create({
      commonName: 'Organization Intermediate Authority',
      notBefore,
      notAfter,
    });
    const foreign = other.issue({
      subject: [['CN', 'x']],
      publicKey: keys.publicKey,
      notBefore,
      notAfter,
      use: 'client',
    });
    expect((await signIn(MAC, { certificate: foreign })).reason).toBe('foreign_certificate');
    const certificate = await enroll();
    const { privateKey } = await newRsaKeyPair();
    expect((await signIn(MAC, { certificate, privateKey })).reason).toBe('signature_wrong');
    await signIn(MAC, { certificate });
    okta.clock.move(366 * DAY_MS);
    expect((await signIn(MAC, { certificate })).reason).toBe('certificate_expired');
  });

  it('finds a certificate revoked that nobody used for 90 days; a used one lives on', async () => {
    const [used, unused] = [await enroll(), await enroll()];
    const { oktaDeviceId } = await signIn(MAC, { certificate: used });
    okta.clock.move(89 * DAY_MS);
    revokeUnused(okta.tenant);
    expect(okta.tenant.state.certificates.at(-1)?.revoked).toBeUndefined();
    okta.clock.move(2 * DAY_MS);
    expect((await signIn({ ...MAC, oktaDeviceId }, { certificate: unused })).reason).toBe(
      'certificate_revoked',
    );
    expect((await signIn({ ...MAC, oktaDeviceId }, { certificate: used })).reason).toBe('managed');
  });

  it('on a suspended device proves nothing; after its deletion the certificate is dead and a new one works', async () => {
    const certificate = await enroll();
    const { oktaDeviceId } = await signIn(MAC, { certificate });
    const device = okta.tenant.state.devices.find(({ id }) => id === oktaDeviceId) as DeviceRecord;
    await changeLifecycle(okta.tenant, device, 'suspend');
    expect((await signIn({ ...MAC, oktaDeviceId }, { certificate })).reason).toBe('device_not_active');
    await changeLifecycle(okta.tenant, device, 'deactivate');
    await deleteDevice(okta.tenant, oktaDeviceId);
    const again = await signIn({ ...MAC, oktaDeviceId }, { certificate });
    expect(again.reason).toBe('certificate_revoked');
    expect(again.oktaDeviceId).not.toBe(oktaDeviceId);
    const back = await signIn({ ...MAC, oktaDeviceId: again.oktaDeviceId }, { certificate: await enroll() });
    expect(back.managementStatus).toBe('MANAGED');
  });

  it('holds over a restart, and keeps attesting when its platform is deleted', async () => {
    const certificate = await enroll();
    const { oktaDeviceId } = await signIn(MAC, { certificate });
    await okta.restart();
    await admin.removePlatform(okta.tenant, macOS.id);
    expect((await signIn({ ...MAC, oktaDeviceId }, { certificate })).reason).toBe('managed');
    expect((await fetch(macOS.challengeUrl)).status).toBe(404);
    macOS = await admin.addMacPlatform(okta.tenant);
  });
});

describe('a FastPass sign-in of an iPhone', () => {
  it('is managed with the right hint only, and stops being so when the key is reset', async () => {
    const { oktaDeviceId } = await signIn(IPHONE);
    const device = { ...IPHONE, oktaDeviceId };
    const reasons = [
      await signIn(device),
      await signIn(device, { managementHint: iOS.secretKey.toLowerCase() }),
      await signIn(device, { managementHint: iOS.secretKey }),
    ].map(({ reason }) => reason);
    expect(reasons).toEqual(['no_management_hint', 'management_hint_wrong', 'managed']);
    const old = iOS.secretKey;
    await admin.resetSecretKey(okta.tenant, iOS.id);
    expect((await signIn(device, { managementHint: old })).managementStatus).toBe('NOT_MANAGED');
  });

  it('registers it without serial number and UDID', async () => {
    const { oktaDeviceId } = await signIn({ ...IPHONE, serialNumber: 'F2L', udid: 'U' });
    const device = okta.tenant.state.devices.find(({ id }) => id === oktaDeviceId);
    expect(Object.keys(device?.profile ?? {})).not.toEqual(expect.arrayContaining(['serialNumber']));
    expect(device?.profile).not.toHaveProperty('udid');
  });
});

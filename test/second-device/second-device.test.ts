// A Mac that shares no code with Odette enrolls, becomes trusted, is renewed, is healed, and leaves: what holds for the sandbox's
// devices because they share Odette's code must hold for it too.
// Long, because it is the life of one Mac, each test going on from where the one before ended.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { problemsOfCommand, problemsOfProfile } from '../apple-schema/apple-schema.ts';
import { environmentOf, runOdette } from '../harness/command-line.ts';
import { devicesOf, setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';
import { problemsOfOktaPayload } from '../okta-manifest.ts';
import { hasOpenssl, OpensslFolder } from '../openssl.ts';
import { ApplePush } from './apple-push.ts';
import { signIn } from './fast-pass.ts';
import type { HasLicense } from './mac-commands.ts';
import { Mac } from './mac.ts';
import { ScepFailure } from './scep-message.ts';
import { requestCertificate } from './scep.ts';
import { Web } from './web.ts';

const USER = 'zoe@example.com';
const HARDWARE = {
  udid: '0A1B2C3D-4E5F-5A6B-8C7D-0123456789AB',
  serialNumber: 'H2WK04X49F',
  osVersion: '15.7.2',
  buildVersion: '24G325',
  name: 'Zoe’s Mac',
  model: 'Mac15,6',
  modelName: 'MacBook Pro',
};
/** None until somebody has run a field test. */
async function fieldRecordings(): Promise<string[]> {
  const folder = new URL('../data/field/', import.meta.url);
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
}

const WITHIN = { withinMs: 45_000, everyMs: 100 };

describe.skipIf(!hasOpenssl)('a Mac written apart from Odette', () => {
  let push: ApplePush;
  let world: World;
  let trusted: TrustedWorld;
  let web: Web;
  let mac: Mac;
  let url: string;
  let recordings: string;
  let hasLicense: HasLicense;

  const newCode = async (): Promise<string> => {
    const { code } = await trusted.stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
      params: { id: trusted.blueprintId },
      body: { user: USER, maxUses: 1, expiresInHours: 1 },
    });
    return code;
  };
  const known = async (): Promise<KnownDevice> => {
    const found = (await devicesOf(trusted)).find(({ udid }) => udid === HARDWARE.udid);
    if (!found) throw new Error('not in the list');
    return found;
  };
  const until = (bucket: string) =>
    eventually(known, (device) => device.bucket === bucket, { ...WITHIN, what: bucket });
  const oktaCertificates = () =>
    mac.state.certificates().filter(({ serialNumber }) => serialNumber !== mac.identity().serialNumber);

  beforeAll(async () => {
    push = await ApplePush.listen();
    recordings = await mkdtemp(path.join(tmpdir(), 'odette-recordings-'));
    world = await startWorld({
      settings: { ODETTE_APNS_URL: push.url, ODETTE_FIELD_TEST_DIR: recordings },
    });
    const { authority, deviceTlsCertificate, deviceTlsKey } = world.sandbox.files;
    const [ca, certificate, key] = await Promise.all(
      [authority, deviceTlsCertificate, deviceTlsKey].map((file) => readFile(file, 'utf8')),
    );
    push.serveWith(certificate ?? '', key ?? '');
    trusted = await setUpTrust(world);
    web = new Web(ca ?? '');
    url = (await trusted.stage.odette.call('get /api/status')).addresses.publicUrl ?? '';
    hasLicense = async (serialNumber) => {
      const { assignments } = await world.manage<{ assignments: string[] }>('GET', '/apps-and-books');
      return assignments.some((assignment) => assignment.endsWith(` ${serialNumber}`));
    };
    mac = new Mac(HARDWARE, { web, push, hasLicense });
  }, 120_000);
  afterAll(async () => {
    mac?.switchOff();
    push?.close();
    await world?.stop();
    await rm(recordings, { recursive: true, force: true });
  }, 60_000);

  test('enrolls with a signer of its own, gets everything, and waits for its user', async () => {
    await mac.enroll(url, await newCode());
    const waitsForSignIn = ({ bucket, waitsFor }: KnownDevice): boolean =>
      bucket === 'needs_user' && /signs in once/.test(waitsFor ?? '');
    await eventually(known, waitsForSignIn, { ...WITHIN, what: 'waits for its user' });
    expect(oktaCertificates()).toHaveLength(1);
    expect(mac.state.keychain.every(({ isExtractable }) => !isExtractable)).toBe(true);
    expect(mac.state.payloads('com.apple.extensiblesso')).toHaveLength(1);
    expect(mac.state.apps.get('com.okta.mobile')).toBe('Managed');
    expect(mac.faults).toEqual([]);
  });

  test('is trusted once its user has signed in', async () => {
    expect(await signIn(mac.state, web, USER)).toMatchObject({ managementStatus: 'MANAGED' });
    await until('trusted');
  });

  test('gets a new certificate, and loses the old one only after that', async () => {
    const [before] = oktaCertificates();
    const { length } = mac.commands;
    const { id } = await known();
    await trusted.stage.odette.call('post /api/devices/{id}/renew', { params: { id }, body: {} });
    const isRenewed = (serials: (string | undefined)[]): boolean =>
      serials.length === 1 && serials[0] !== before?.serialNumber;
    await eventually(async () => oktaCertificates().map(({ serialNumber }) => serialNumber), isRenewed, {
      ...WITHIN,
      what: 'one new certificate',
    });
    const asked = mac.commands.slice(length).map((command) => command['RequestType']);
    const proof = asked.indexOf('CertificateList', asked.indexOf('InstallProfile'));
    expect(asked).toContain('InstallProfile');
    expect(proof).toBeGreaterThan(0);
    expect(asked.indexOf('RemoveProfile')).toBeGreaterThan(proof);
    expect(await signIn(mac.state, web, USER)).toMatchObject({ managementStatus: 'MANAGED' });
    await until('trusted');
  });

  test('moves its certificate into the login keychain, the old one last, and renews and proves it there', async () => {
    const { odette } = trusted.stage;
    const moveTo = async (certificateScope: 'System' | 'User'): Promise<void> => {
      const { items } = await odette.call('get /api/library-items');
      const [item] = items;
      if (!item) throw new Error('no library item');
      const { integrationId, installType, deviceTrustOn, appConfiguration, settings, version } = item;
      const body = { integrationId, installType, deviceTrustOn, appConfiguration };
      await odette.call('put /api/library-items/{id}', {
        params: { id: item.id },
        body: {
          ...body,
          settings: { ...settings, certificateScope },
          blueprintIds: item.blueprints.map(({ id }) => id),
          confirmAppConfigurationOverride: true,
        },
        ifMatch: `"${version}"`,
      });
    };
    const serialsIn = (scope: 'System' | 'User'): string[] =>
      (scope === 'System' ? oktaCertificates() : mac.userState.certificates()).map(
        ({ serialNumber }) => serialNumber,
      );
    const untilOnly = (scope: 'System' | 'User', other: 'System' | 'User', what: string) =>
      eventually(
        async () => [serialsIn(scope).length, serialsIn(other).length],
        ([there, left]) => there === 1 && left === 0,
        { ...WITHIN, what },
      );

    await moveTo('User');
    const waitsForLogin = ({ bucket, waitsFor }: KnownDevice): boolean =>
      bucket === 'needs_user' && /logged in/.test(waitsFor ?? '');
    await eventually(known, waitsForLogin, { ...WITHIN, what: 'waits for its user to log in' });
    const [old] = serialsIn('System');
    expect(old).toBeDefined();

    const { length } = mac.commands;
    await mac.logIn({ id: '7B0C1D2E-3F40-4152-8364-758697A8B9CA', shortName: 'zoe' });
    await untilOnly('User', 'System', 'one certificate, in the login keychain');
    const asked = mac.commands.slice(length).map((command) => command['RequestType']);
    const proof = asked.indexOf('CertificateList', asked.indexOf('InstallProfile'));
    expect(proof).toBeGreaterThan(asked.indexOf('InstallProfile'));
    expect(asked.indexOf('RemoveProfile')).toBeGreaterThan(proof);
    const login = mac.userState.keychain;
    expect(login).toMatchObject([{ isExtractable: false, isUsableByAll: true }]);
    expect(await signIn(mac.state, web, USER, login)).toMatchObject({ managementStatus: 'MANAGED' });
    await until('trusted');

    const [before] = serialsIn('User');
    const { id } = await known();
    await odette.call('post /api/devices/{id}/renew', { params: { id }, body: {} });
    await eventually(
      async () => serialsIn('User'),
      (serials) => serials.length === 1 && serials[0] !== before,
      { ...WITHIN, what: 'one new certificate in the login keychain' },
    );
    await until('trusted');

    // A user who is away delays nothing but what is in their keychain.
    mac.logOut();
    await moveTo('System');
    await eventually(
      async () => serialsIn('System').length,
      (count) => count === 1,
      { ...WITHIN, what: 'a certificate in System while its user is away' },
    );
    await until('trusted');
    expect(serialsIn('User')).toHaveLength(1);
    await mac.logIn({ id: '7B0C1D2E-3F40-4152-8364-758697A8B9CA', shortName: 'zoe' });
    await untilOnly('System', 'User', 'nothing is left in the login keychain');
    expect(await signIn(mac.state, web, USER, mac.userState.keychain)).toMatchObject({
      managementStatus: 'MANAGED',
    });
    await until('trusted');
    expect(mac.faults).toEqual([]);
  }, 180_000);

  test('gets a profile back that its user removed, and nothing else anew', async () => {
    const before = { identifiers: mac.state.identifiers(), certificates: oktaCertificates().map(String) };
    const settings = mac.state.profiles.find((profile) =>
      JSON.stringify(profile).includes('OktaVerify.OrgUrl'),
    );
    mac.removeProfile(String(settings?.['PayloadIdentifier']));
    const { id } = await known();
    await trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
    await eventually(
      async () => mac.state.identifiers(),
      (identifiers) => identifiers.join() === before.identifiers.join(),
      { ...WITHIN, what: 'the profile is back' },
    );
    await until('trusted');
    expect(oktaCertificates().map(String)).toEqual(before.certificates);
  });

  test.each(['once', 'and once more'])(
    'renews its identity by the profile that enrolled it %s, and stays trusted',
    async () => {
      const before = mac.identity().serialNumber;
      const { id } = await known();
      const database = connectDatabase(world.databaseUrl);
      await database.query(
        `update identity_certificates as identity set issued_at = now() - interval '40 years'
         from devices as device where device.id = $1 and sha256(identity.certificate) = device.identity_fingerprint`,
        [id],
      );
      await trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
      await eventually(
        async () => mac.identity().serialNumber,
        (serial) => serial !== before,
        {
          ...WITHIN,
          what: 'another identity',
        },
      );
      const pinned = Buffer.from(mac.identity().fingerprint256.replaceAll(':', ''), 'hex');
      await eventually(
        () =>
          database.query<{ yes: boolean }>(
            `select identity_fingerprint = $2 and enrollment_status = 'enrolled' as yes from devices where id = $1`,
            [id, pinned],
          ),
        ([device]) => device?.yes === true,
        { ...WITHIN, what: 'its enrollment with the other identity' },
      );
      await database.end();
      await until('trusted');
      expect(oktaCertificates()).toHaveLength(1);
      expect(await mac.escrowedToken()).toEqual(mac.bootstrapToken);
    },
  );

  test('received only what Apple’s schema knows for its OS, from a server that keeps to the protocol', () => {
    const target = { platform: 'macOS', osVersion: HARDWARE.osVersion } as const;
    const problems = mac.commands.flatMap((command) => problemsOfCommand(command as PlistDict, target));
    const ofProfiles = mac.profiles.flatMap((profile) =>
      problemsOfProfile(profile as PlistDict, target, problemsOfOktaPayload),
    );
    const OLDER_NAME = /OktaVerify\.EnrollmentOptions: SilentEnrollmentEnabled not in the list/;
    expect(problems).toEqual([]);
    expect(ofProfiles.filter((problem) => !OLDER_NAME.test(problem))).toEqual([]);
    expect({ faults: mac.faults, refused: push.refused }).toEqual({ faults: [], refused: [] });
  });

  test('nobody gets an identity without the challenge, nor twice with one', async () => {
    const openssl = new OpensslFolder();
    const order = { url: `${url}/scep`, subject: [[['CN', 'x']]] as const, keySize: 2048, keyUsage: 5 };
    const scep = mac.state
      .payloads('com.apple.security.scep')
      .map((payload) => payload['PayloadContent'] as { URL: string; Challenge: string });
    const used = scep.find(({ URL }) => URL === order.url)?.Challenge ?? '';
    for (const challenge of ['guessed', used]) {
      const refusal = await requestCertificate({ ...order, challenge }, web, openssl).catch(
        (error: unknown) => error,
      );
      // badRequest, RFC 8894 §3.2.1.4.
      expect(refusal).toBeInstanceOf(ScepFailure);
      expect(refusal).toMatchObject({ failInfo: '2' });
    }
    openssl.remove();
  });

  test('leaves when its user removes the enrollment, and Odette says so', async () => {
    await mac.leave();
    await eventually(known, (device) => device.bucket !== 'trusted', {
      ...WITHIN,
      what: 'no longer trusted',
    });
  });

  test('a field test leads through everything, and nothing that is anybody’s reaches the disk', async () => {
    const hardware = {
      ...HARDWARE,
      udid: '7F1B2C3D-4E5F-5A6B-8C7D-0123456789EF',
      serialNumber: 'K7LX09PQWR',
    };
    const other = new Mac(hardware, { web, push, hasLicense });
    const codes: string[] = [];
    const tasks: string[] = [];
    const carryOut = async (task: string): Promise<void> => {
      tasks.push(task.split(/[,.] /)[0]?.split('\n')[0] ?? '');
      const [, code] = /type (\S+),/.exec(task) ?? [];
      if (code !== undefined) {
        codes.push(code);
        await other.enroll(url, code);
      } else if (task.includes('sign in')) await signIn(other.state, web, USER);
      else if (task.includes('delete Okta Verify')) other.state.apps.delete('com.okta.mobile');
      else if (task.includes('remove the enrollment')) await other.leave();
    };
    const options = [
      '--blueprint',
      'Test devices',
      '--user',
      USER,
      '--recordings',
      recordings,
      '--only',
      'mac',
    ];
    const ran = await runOdette(['field-test', ...options], {
      environment: await environmentOf(world),
      carryOut,
    });
    expect(ran.code, `${ran.printed}\n${ran.told}`).toBe(0);
    expect(tasks.map((task) => task.slice(0, 12))).toEqual([
      'Mac 1: enrol',
      'Mac 2: sign ',
      'Mac 4: put i',
      'Mac 5: delet',
      'Mac 6: sign ',
      'Mac 7: remov',
    ]);
    const installs = other.commands.filter((each) => each['RequestType'] === 'InstallApplication');
    expect(installs).toHaveLength(2);

    const files = await readdir(recordings);
    const texts = await Promise.all(files.map((name) => readFile(path.join(recordings, name), 'utf8')));
    const challenges = [mac, other].flatMap(({ profiles }) =>
      profiles.flatMap((profile) => JSON.stringify(profile).match(/(?<="Challenge":")[^"]+/g) ?? []),
    );
    expect(challenges.length).toBeGreaterThan(3);
    const host = new URL(world.sandbox.tenants[0]?.url ?? url).host;
    const planted = [HARDWARE, hardware].flatMap(({ udid, serialNumber, name }) => [
      udid,
      serialNumber,
      name,
    ]);
    for (const secret of [...planted, ...challenges, ...codes, USER, host, await world.token()])
      expect(files.concat(texts).filter((text) => text.includes(secret))).toEqual([]);
    // What a field test with real devices brought is held against the same list (docs/field-test.md).
    const ofDevices = [...texts, ...(await fieldRecordings())].filter((text) =>
      text.includes('"kind": "mdm"'),
    );
    for (const text of ofDevices) expect(text).not.toMatch(/"<unknown \d+>"/);
    const form = texts.find((text) => text.includes('"MessageType": "Authenticate"')) ?? '{}';
    expect(JSON.parse(form)).toMatchObject({
      signature: { digest: 'sha1', hasSignedAttributes: false, hasIndefiniteLengths: true },
      request: { OSVersion: HARDWARE.osVersion, SerialNumber: '<text>', Challenge: '<data of 20 bytes>' },
      status: 200,
    });
  });
});

// `odette` against a server that speaks the contract: answers, exit codes, what is asked and what is told.
// Long, because all commands are run against one server and its record of what was asked.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ProblemError } from '../api/http/problem.ts';
import { FAILURES } from '../domain/failures.ts';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';
import { shownDevice } from '../test/harness/shown-device.ts';

const KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const OTHER_ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b12';
const AT = '2027-01-02T03:04:05.000Z';
const device = shownDevice();
const status = {
  ready: true,
  parts: { database: true, temporal: true, worker: true },
  version: '0.1.0',
  devices: {
    total: 3,
    delivered: 3,
    certificatePresent: 3,
    certificateApplies: 3,
    oktaVerifyManaged: 2,
    registered: 1,
    managed: 1,
  },
  buckets: {
    trusted: 1,
    in_progress: 1,
    needs_user: 1,
    needs_you: 0,
    unreachable: 0,
    left: 0,
    out_of_scope: 0,
  },
  asOf: '2027-01-02T03:04:05.000Z',
  checks: [
    {
      integration: { id: '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11', name: 'acme' },
      at: '2027-01-02T03:04:05.000Z',
      failed: [],
    },
  ],
  needs: [
    {
      id: 'tls',
      text: 'Devices speak TLS only.',
      command: 'ODETTE_TLS_CERT_FILE=cert.pem npm start',
      isRequired: true,
    },
  ],
  channels: ['built_in'],
  alarms: [],
  steps: [
    {
      id: 'devices:needs_you:mdm.profile_refused',
      owner: 'you',
      text: 'The device refuses a profile.',
      action: 'replay',
      devices: 2,
      since: AT,
      place: 'devices',
      setupId: null,
      filter: { bucket: 'needs_you', failureCode: 'mdm.profile_refused', obstacle: null },
    },
  ],
  onboarding: [],
  addresses: {
    console: 'http://127.0.0.1:4780',
    api: 'http://127.0.0.1:4780/openapi.json',
    publicUrl: null,
    enrollmentLink: null,
    temporalUi: null,
    temporal: '127.0.0.1:7233',
    temporalNamespace: 'default',
  },
};

let server: ContractServer;
let folder: string;
beforeAll(async () => {
  server = await startContractServer();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-cli-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.plays.getStatus = () => status;
  server.plays.listDevices = () => ({ items: [device], next: null });
});
afterEach(() => {
  server.calls.length = 0;
});

const odette = (line: string, options: { typed?: string[]; input?: string } = {}): Promise<Ran> =>
  runOdette(line.split(' '), {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
    ...options,
  });
const bodies = () => server.calls.filter(({ body }) => body !== undefined).map(({ body }) => body);

describe('status', () => {
  test('is JSON that holds readiness and the five counts', async () => {
    const { code, printed } = await odette('status --json');
    expect(code).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      ready: true,
      devices: {
        total: 3,
        delivered: 3,
        certificatePresent: 3,
        certificateApplies: 3,
        oktaVerifyManaged: 2,
        registered: 1,
        managed: 1,
      },
    });
  });

  test('names what real devices still need, with the command for each', async () => {
    const { printed } = await odette('status');
    expect(printed).toContain('Devices in scope: 3; Okta data as of 2027-01-02');
    expect(printed).toContain('Odette 0.1.0 is ready.');
    expect(printed).toMatch(/Devices speak TLS only\.\n\s+ODETTE_TLS_CERT_FILE=cert\.pem npm start/);
  });

  test('names every address, also those that are not set', async () => {
    const { printed } = await odette('status');
    for (const [name, at] of [
      ['Console', 'http://127.0.0.1:4780'],
      ['API', 'http://127.0.0.1:4780/openapi.json'],
      ['Devices', 'not set'],
      ['Enrollment link', 'not set'],
      ['Temporal UI', 'not set'],
      ['Temporal', '127.0.0.1:7233 (namespace default)'],
    ])
      expect(printed.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toContain(`${name}: ${at}`);
  });

  test('says who acts next, for how many devices, and by which cause they are found', async () => {
    const { printed } = await odette('status');
    expect(printed).toMatch(/you +2 +The device refuses a profile\. +mdm\.profile_refused/);
  });

  test('names beside an alarm the rotation of the secret that was probably replaced in Okta', async () => {
    const code = 'okta.challenge_credentials_refused' as const;
    const { title, remedy, owner, isRetried } = FAILURES[code];
    server.plays.getStatus = () => ({
      ...status,
      alarms: [
        {
          failure: { code, title, remedy, owner, isRetried },
          text: 'acme: challenge rejects Odette.',
          since: AT,
          rotation: {
            integrationId: '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11',
            host: 'acme.okta.com',
            secret: 'challenge_password',
          },
        },
      ],
    });
    const { printed } = await odette('status');
    const command = /odette (rotate start \S+ --integration \S+)/.exec(printed)?.[1] ?? '';
    expect(command).toBe('rotate start challenge_password --integration acme.okta.com');
  });

  test('asks Okta about one device by its name', async () => {
    server.plays.askOkta = () => new Reply(202, { devices: 1 });
    expect((await odette('device ask-okta mac-ada')).printed).toContain('odette device show C02ADA');
    expect(server.calls.at(-1)?.operation).toBe('askOkta');
  });

  test('names the part that does not respond, and ends with 3', async () => {
    server.plays.getStatus = () => ({ ...status, ready: false, parts: { ...status.parts, worker: false } });
    const { code, printed } = await odette('status');
    expect(code).toBe(3);
    expect(printed).toContain('not responding: worker');
  });

  test('without a server is `ready: false` for programs and a sentence for people, and ends with 3', async () => {
    const environment = { ODETTE_URL: 'http://127.0.0.1:9', ODETTE_TOKEN: 'x' };
    const forPrograms = await runOdette(['status', '--json'], { environment });
    expect(forPrograms.code).toBe(3);
    expect(JSON.parse(forPrograms.printed)).toMatchObject({ ready: false });
    const forPeople = await runOdette(['status'], { environment });
    expect(forPeople.code).toBe(3);
    expect(forPeople.told).toMatch(/Odette does not respond at http:\/\/127\.0\.0\.1:9/);
    expect(forPeople.told).not.toMatch(/\n\s+at /);
  });
});

describe('an error', () => {
  test('shows the catalogue’s title and what to do, and no stack', async () => {
    server.plays.getPushCertificate = () => {
      throw new ProblemError('apns.certificate_missing');
    };
    const { code, told } = await odette('push-certificate show');
    expect(code).toBe(1);
    expect(told).toContain('odette: No push certificate is uploaded.');
    expect(told).toContain('Remedy: Upload one under Settings, or run `odette push-certificate set FILE`.');
    expect(told).not.toMatch(/\n\s+at /);
  });

  test('is the problem document for programs', async () => {
    const { code, told, printed } = await odette('push-certificate show --json');
    expect(code).toBe(1);
    expect(printed).toBe('');
    expect(JSON.parse(told)).toMatchObject({ code: 'apns.certificate_missing', status: 422 });
  });

  test('of usage ends with 2', async () => {
    for (const line of ['nonsense', 'device show', 'rollout replay', 'devices --bucket odd', 'rollout start'])
      expect((await odette(line)).code, line).toBe(2);
    expect((await odette('--help')).code).toBe(0);
  });

  test('that passes is asked again with the same key, and said', async () => {
    let asked = 0;
    server.plays.createBlueprint = ({ body }) => {
      asked += 1;
      if (asked === 1) throw new ProblemError('server.unavailable', { retryAfterMs: 10 });
      return {
        id: ID,
        name: (body as { name: string }).name,
        devices: 0,
        libraryItemId: null,
        enrollmentLink: 'https://localhost/enroll',
        createdAt: AT,
      };
    };
    server.plays.listBlueprints = () => ({ items: [] });
    const { code, told } = await odette('blueprint create Test');
    expect(code).toBe(0);
    expect(told).toMatch(/Retrying/);
    const keys = server.calls
      .filter(({ operation }) => operation === 'createBlueprint')
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('devices', () => {
  test('are listed over all pages, with filters that may be repeated', async () => {
    server.plays.listDevices = ({ query }) =>
      query.has('after')
        ? { items: [{ ...device, id: OTHER_ID }], next: null }
        : { items: [device], next: 'more' };
    const { printed } = await odette('devices --bucket needs_you --bucket needs_user --json');
    expect((JSON.parse(printed) as { items: unknown[] }).items).toHaveLength(2);
    expect(server.calls[0]?.query.getAll('bucket')).toEqual(['needs_you', 'needs_user']);
    await odette('devices --cause mdm.profile_refused --cause user_unknown');
    const asked = server.calls.at(-1)?.query;
    expect([asked?.getAll('failureCode'), asked?.getAll('obstacle')]).toEqual([
      ['mdm.profile_refused'],
      ['user_unknown'],
    ]);
    expect((await odette('devices')).printed).toContain('Waits for the first sign-in of ada@example.com.');
  });

  test('are found by serial number, name or UDID; several of one name are refused', async () => {
    server.plays.startRollouts = () => new Reply(202, { devices: 1 });
    for (const text of ['c02ada', 'mac-ada', 'udid-ada'])
      expect((await odette(`rollout start ${text}`)).printed).toBe('Started for 1 device.');
    expect((await odette('rollout start mac')).told).toContain('Did you mean: mac-ada (C02ADA)?');
    server.plays.listDevices = () => ({ items: [device, { ...device, id: OTHER_ID }], next: null });
    const { code, told } = await odette('rollout start mac-ada');
    expect(code).toBe(1);
    expect(told).toContain('Several devices are named mac-ada.');
  });
});

describe('replay', () => {
  test('of one device names it', async () => {
    const lacking = { delivered: 1, certificatePresent: 0, oktaVerifyManaged: 1 };
    server.plays.replayRollouts = () => new Reply(202, { devices: 2, lacking, replayId: ID, next: null });
    const { code, printed } = await odette('rollout replay C02ADA --reason fixed');
    expect(code).toBe(0);
    expect(bodies()).toMatchObject([{ deviceIds: [ID], reason: 'fixed', preview: false }]);
    expect(printed).toMatch(/^Started again for 2 devices\./);
  });
});

describe('files', () => {
  const push = {
    topic: 'com.apple.mgmt.x',
    accessRights: 'trust_only',
    notAfter: AT,
    daysLeft: 40,
    setAt: AT,
    refusedAt: null,
    key: null,
    others: [],
  };
  beforeEach(() => {
    server.plays.setPushCertificate = () => push;
  });

  test('a push certificate goes as PEM, its key from a second file', async () => {
    await writeFile(path.join(folder, 'cert.pem'), '-----BEGIN CERTIFICATE-----\n');
    await writeFile(path.join(folder, 'key.pem'), KEY);
    const { code } = await odette(`push-certificate set ${folder}/cert.pem --key ${folder}/key.pem`);
    expect(code).toBe(0);
    expect(bodies()).toEqual([{ pem: `-----BEGIN CERTIFICATE-----\n\n${KEY}` }]);
  });

  test('the access rights of the first one go along, and only those that exist', async () => {
    await writeFile(path.join(folder, 'cert.pem'), '-----BEGIN CERTIFICATE-----\n');
    const set = await odette(`push-certificate set ${folder}/cert.pem --access-rights trust-only`);
    expect(bodies()).toEqual([{ pem: '-----BEGIN CERTIFICATE-----\n', accessRights: 'trust_only' }]);
    expect(set.printed).toContain('can never be locked or erased');
    const wrong = await odette(`push-certificate set ${folder}/cert.pem --access-rights some`);
    expect(wrong.code).toBe(2);
  });

  test('a request is printed, and made only where there is none; what is signed goes to a file by itself', async () => {
    const request = { csr: '-----BEGIN CERTIFICATE REQUEST-----\n', createdAt: AT, sentAt: null };
    server.plays.getPushCertificateRequest = () => request;
    server.plays.createPushCertificateRequest = () => ({ ...request, csr: 'another' });
    const first = await odette('push-certificate request');
    expect(first.printed.trim()).toBe('-----BEGIN CERTIFICATE REQUEST-----');
    expect(first.told).toContain('its key stays in Odette');
    expect((await odette('push-certificate request --new')).printed.trim()).toBe('another');
    await writeFile(path.join(folder, 'mdm.cer'), Buffer.from([0x30, 0x82]));
    await writeFile(path.join(folder, 'key.pem'), KEY);
    await writeFile(path.join(folder, 'root.cer'), Buffer.from([0x30, 0x83]));
    server.plays.signPushCertificateRequest = () => ({ content: 'PD94' });
    const signed = await odette(
      `push-certificate sign --vendor ${folder}/mdm.cer --vendor-key ${folder}/key.pem --chain ${folder}/root.cer`,
    );
    expect([signed.code, signed.printed.trim()]).toEqual([0, 'PD94']);
    expect(bodies().at(-1)).toEqual({
      pem: `-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n\n${KEY}`,
      chain: '-----BEGIN CERTIFICATE-----\nMIM=\n-----END CERTIFICATE-----\n',
    });
    await writeFile(path.join(folder, 'service-key'), 'key\n');
    server.plays.sendPushCertificateRequest = () => ({ ...request, sentAt: AT });
    await odette(`push-certificate send --email ada@acme.example --key-file ${folder}/service-key`);
    expect(bodies().at(-1)).toEqual({ email: 'ada@acme.example', key: 'key' });
    await writeFile(path.join(folder, 'mail.p7'), '3082');
    server.plays.openPushCertificateRequest = () => ({ content: 'PD94' });
    expect((await odette(`push-certificate open ${folder}/mail.p7`)).told).toContain(
      'identity.apple.com/pushcert',
    );
    expect(bodies().at(-1)).toEqual({ file: '3082' });
  });

  test('another topic than that of enrolled devices is taken only if that is said', async () => {
    await writeFile(path.join(folder, 'cert.pem'), '-----BEGIN CERTIFICATE-----\n');
    await odette(`push-certificate set ${folder}/cert.pem --other-topic`);
    expect(bodies()).toEqual([{ pem: '-----BEGIN CERTIFICATE-----\n', confirmOtherTopic: true }]);
  });

  test('PKCS#12 goes with its password, which is asked for or stands in a file', async () => {
    await writeFile(path.join(folder, 'cert.p12'), Buffer.from([0x30, 0x82]));
    await writeFile(path.join(folder, 'password'), 'pass word\n');
    const asked = await odette(`push-certificate set ${folder}/cert.p12`, { typed: ['typed'] });
    expect(asked.questions).toHaveLength(1);
    await odette(`push-certificate set ${folder}/cert.p12 --password-file ${folder}/password`);
    expect(bodies()).toEqual([
      { pkcs12: 'MII=', password: 'typed' },
      { pkcs12: 'MII=', password: 'pass word' },
    ]);
  });

  test('a failed device says which command it refused and in which words; what nobody could read is listed and printed', async () => {
    server.plays.listDevices = () => ({ items: [device], next: null });
    server.plays.getDevice = () => ({
      ...device,
      bucket: 'needs_you',
      nextStep: { owner: 'you', text: 'The device could not get its certificate.', action: 'replay' },
      failureCode: 'scep.enrollment_failed',
      failure: {
        code: 'scep.enrollment_failed',
        title: 'The device could not get its certificate.',
        remedy: 'Check the certificate authority in Okta. Odette retries every day.',
        owner: 'operator',
        isRetried: true,
      },
      deviceError: {
        subject: 'Certificate profile',
        requestType: 'InstallProfile',
        text: 'SCEP server returned an invalid response (MDM-SCEP 15002)',
        at: AT,
        errorChain: [],
      },
      channel: { ...device.channel, cannot: null },
      enrolledAt: AT,
      verifiedAt: null,
      evidence: [],
      serialNumberTwins: [
        {
          id: OTHER_ID,
          name: 'mac-old',
          udid: 'U2',
          bucket: 'unreachable',
          lastContactAt: AT,
          mayBeRetired: true,
        },
      ],
      payloadSet: [],
      certificates: [],
      license: null,
      oktaVerify: null,
      iosKeyRead: null,
      oktaFinding: null,
      oktaRecords: [],
      rollouts: [],
      workflowId: `rollout/${ID}`,
      temporalUrl: null,
    });
    const { printed } = await odette('device show mac-ada');
    expect(printed).toContain(
      'Certificate profile (InstallProfile): SCEP server returned an invalid response (MDM-SCEP 15002)',
    );
    expect(printed).toContain(
      'Action required: The device could not get its certificate.\n  Then: odette rollout replay C02ADA',
    );
    expect(printed).toContain(`Same serial number: mac-old, unreachable`);
    expect(printed).toContain(`odette device forget ${OTHER_ID}`);
    const body = Buffer.from('<plist>\u001b[2J').toString('base64');
    server.plays.getUnreadableResponses = () => ({
      items: [{ id: OTHER_ID, at: AT, reason: 'not a device message', body }],
    });
    expect((await odette('device responses mac-ada')).printed).toMatch(/11\s+not a device message/);
    const shown = await odette(`device responses mac-ada --print ${OTHER_ID}`);
    expect(shown.printed.trim()).toBe(String.raw`<plist>\u001b[2J`);
    expect((await odette(`device responses mac-ada --print ${ID}`)).code).toBe(2);
  });

  test('the Apps and Books token may come from standard input; a file that is not there ends with 2', async () => {
    server.plays.setAppsAndBooks = () => ({
      organization: 'Acme',
      location: 'Paris',
      expiresAt: AT,
      daysLeft: 40,
      setAt: AT,
      token: null,
      licenses: {
        total: 9,
        available: 4,
        platforms: [
          { platform: 'macOS', total: 0, available: 0 },
          { platform: 'iOS', total: 9, available: 4 },
        ],
      },
      failure: null,
    });
    const { printed } = await odette('apps-and-books set -', { input: 'token text' });
    expect(bodies()).toEqual([{ token: 'token text' }]);
    expect(printed).toContain('for iOS: 4 of 9 left');
    expect(printed).toContain('for macOS: none.');
    expect((await odette(`apps-and-books set ${folder}/none`)).code).toBe(2);
  });
});

// The worst that each kind of message can be, within its size: reading it holds the event loop for less than 50 ms at a time.
import { buildPlist, type PlistDict } from '../../adapters/mdm/plist.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readDeviceMessage, type Report } from '../../adapters/mdm/device-message.ts';
import { readClientCertHeader, readMdmSignature } from '../../adapters/mdm/message-signature.ts';
import { readResponse } from '../../adapters/mdm/response.ts';
import { CertificateAuthority, newRsaKeyPair, selfSign } from '../../adapters/pki/certificate-authority.ts';
import { handleScep } from '../../adapters/pki/scep-server.ts';
import { CataloguedError } from '../../domain/failures.ts';

const SMALL = 64 * 1024;
const LARGE = 2 * 1024 * 1024;
const HEADER = 16 * 1024;
const SCEP = 32 * 1024;
const MAX_HOLD_MS = 50;

/**
 * The longest time that nothing else got its turn, in milliseconds of processor time: the best of five runs, for what others do on this
 * machine is not the message's fault.
 */
async function longestHold(read: () => unknown): Promise<number> {
  const runs: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    let longest = 0;
    let isRunning = true;
    let last = process.cpuUsage();
    const tick = (): void => {
      const { user, system } = process.cpuUsage(last);
      last = process.cpuUsage();
      longest = Math.max(longest, (user + system) / 1000);
      if (isRunning) setImmediate(tick);
    };
    const began = new Promise<void>((resolve) => setImmediate(resolve));
    await began;
    last = process.cpuUsage();
    setImmediate(tick);
    try {
      await read();
    } catch (error) {
      expect(error).toBeInstanceOf(CataloguedError);
    }
    tick();
    isRunning = false;
    runs.push(longest);
  }
  return Math.min(...runs);
}

const fill = (piece: (index: number) => string, bytes: number): string => {
  const pieces: string[] = [];
  for (let length = 0, index = 0; ; index += 1) {
    const next = piece(index);
    length += next.length;
    if (length > bytes) return pieces.join('');
    pieces.push(next);
  }
};
const message = (inside: string, bytes: number): Buffer => {
  const body = Buffer.from(
    `<plist><dict><key>UDID</key><string>u</string><key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>${randomUUID()}</string>${inside}</dict></plist>`,
  );
  expect(body.length).toBeLessThanOrEqual(bytes);
  return body;
};
const ROOM = 400;

describe('a message of at most 64 kB', () => {
  test.each([
    'Authenticate',
    'TokenUpdate',
    'CheckOut',
    'SetBootstrapToken',
    'GetBootstrapToken',
    'DeclarativeManagement',
    'UserAuthenticate',
    'GetToken',
  ])('%s', async (type) => {
    const keys = fill((index) => `<key>${index}</key><true/>`, SMALL - ROOM);
    const body = message(`<key>MessageType</key><string>${type}</string>${keys}`, SMALL);
    expect(await longestHold(() => readDeviceMessage(body))).toBeLessThan(MAX_HOLD_MS);
  });

  test('an error chain', async () => {
    const causes = fill(
      () => '<dict><key>USEnglishDescription</key><string>&#27;</string></dict>',
      SMALL - ROOM,
    );
    const body = message(`<key>ErrorChain</key><array>${causes}</array>`, SMALL);
    expect(await longestHold(() => readDeviceMessage(body))).toBeLessThan(MAX_HOLD_MS);
  });
});

describe('a response with a list of 2 MB', () => {
  const item: Record<string, (index: number) => string> = {
    ProfileList: (index) =>
      `<dict><key>PayloadIdentifier</key><string>${index}</string><key>PayloadUUID</key><string>u</string><key>PayloadContent</key><array><dict/></array></dict>`,
    InstalledApplicationList: (index) => `<dict><key>Identifier</key><string>${index}</string></dict>`,
    ManagedApplicationList: (index) => `<key>${index}</key><dict/>`,
    ManagedApplicationConfiguration: (index) => `<dict><key>Identifier</key><string>${index}</string></dict>`,
  };
  const keyOf = (requestType: string) =>
    requestType === 'ManagedApplicationConfiguration' ? 'ApplicationConfigurations' : requestType;
  test.each(Object.keys(item))('%s', async (requestType) => {
    // As many as are taken at all, and the most that fit.
    for (const bytes of [LARGE - ROOM, 700_000, 350_000]) {
      const items = fill(item[requestType] ?? (() => ''), bytes);
      const [open, close] =
        requestType === 'ManagedApplicationList' ? ['<dict>', '</dict>'] : ['<array>', '</array>'];
      const body = message(`<key>${keyOf(requestType)}</key>${open}${items}${close}`, LARGE);
      let report: Report | undefined;
      expect(
        await longestHold(() => {
          report = readDeviceMessage(body) as Report;
        }),
        `parse of ${bytes}`,
      ).toBeLessThan(MAX_HOLD_MS);
      const read = report;
      if (!read) continue;
      expect(
        await longestHold(async () => JSON.stringify(await readResponse(requestType, read))),
        `reading of ${bytes}`,
      ).toBeLessThan(MAX_HOLD_MS);
    }
  });

  const certificates = (make: () => Buffer, count: number): Buffer =>
    buildPlist({
      UDID: 'u',
      Status: 'Acknowledged',
      CommandUUID: randomUUID(),
      CertificateList: Array.from({ length: count }, (): PlistDict => ({ Data: make(), IsIdentity: false })),
    });

  test('CertificateList of many, of one that is nothing but small pieces, and of one that is large', async () => {
    const key = await newRsaKeyPair();
    const issue = (units: number) =>
      selfSign(
        {
          subject: Array.from({ length: units }, (): ['OU', string] => ['OU', 'x']),
          publicKey: key.publicKey,
          notBefore: new Date(),
          notAfter: new Date(Date.now() + 1000),
          use: 'client',
        },
        key.privateKey,
      ).der;
    const [common, manyNames, large] = [issue(1), issue(900), issue(20_000)];
    for (const der of [common, manyNames, large]) {
      // Base64 with line ends takes a good third more.
      const count = Math.floor((LARGE - ROOM) / (der.length * 1.4 + 150));
      const body = certificates(() => der, count);
      expect(body.length).toBeLessThanOrEqual(LARGE);
      const report = readDeviceMessage(body) as Report;
      expect(await longestHold(() => readDeviceMessage(body))).toBeLessThan(MAX_HOLD_MS);
      expect(
        await longestHold(async () => JSON.stringify(await readResponse('CertificateList', report))),
        `${count} certificates of ${der.length} bytes`,
      ).toBeLessThan(MAX_HOLD_MS);
    }
  }, 60_000);
});

/** ASN.1 within `bytes`: many small pieces, one in the other, of a length that is not said. */
const worstAsn1 = (bytes: number): [string, Buffer][] => {
  const wrap = (content: Buffer) =>
    Buffer.concat([
      Buffer.from([0x30, 0x83, content.length >> 16, (content.length >> 8) & 255, content.length & 255]),
      content,
    ]);
  const half = Math.floor((bytes - 10) / 2);
  return [
    ['small pieces', wrap(Buffer.alloc(half * 2, Buffer.from([0x05, 0x00])))],
    ['nesting', Buffer.alloc(bytes, Buffer.from([0x30, 0x80]))],
    [
      'one long number',
      wrap(Buffer.concat([Buffer.from([0x02, 0x82, 0x70, 0x00]), randomBytes(bytes - 20)])),
    ],
    ['noise', randomBytes(bytes)],
  ];
};

describe('what comes before a body', () => {
  // Base64 in a header.
  test.each(worstAsn1((HEADER * 3) / 4 - 100))('a signature of %s', async (_name, der) => {
    const header = der.toString('base64');
    expect(await longestHold(() => readMdmSignature(header))).toBeLessThan(MAX_HOLD_MS);
    expect(await longestHold(() => readClientCertHeader(`:${header}:`))).toBeLessThan(MAX_HOLD_MS);
  });
});

describe('a SCEP message', () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = new CertificateAuthority(
      await CertificateAuthority.create({
        commonName: 'test',
        notBefore: new Date(),
        notAfter: new Date(Date.now() + 3_600_000),
      }),
    );
  });
  test.each(worstAsn1(SCEP))('of %s', async (_name, body) => {
    const decide = () => Promise.resolve({ refusal: 'never' });
    expect(
      await longestHold(() =>
        handleScep(
          { method: 'POST', operation: 'PKIOperation', message: undefined, body },
          { authority, decide },
        ),
      ),
    ).toBeLessThan(MAX_HOLD_MS);
  });
});

// The worst that each kind of message of an enrolled device can be, signed: what the flood benchmark sends again and again.
import { createPrivateKey, randomUUID } from 'node:crypto';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { signDetached } from '../../adapters/pki/cms.ts';

/** An enrolled device that means harm. */
export interface Attacker {
  readonly udid: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface SignedMessage {
  readonly body: Buffer;
  /** The header `Mdm-Signature`. */
  readonly signature: string;
}

/** Of each message so many. */
export const ROUNDS = 20;

const SMALL = 60_000;

/** ASN.1 of 32 kB that is nothing but small pieces. */
export const ASN1_PIECES = Buffer.concat([
  Buffer.from([0x30, 0x82, 0x7f, 0xf0]),
  Buffer.alloc(0x7ff0, Buffer.from([5, 0])),
]);

const fill = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / piece.length));

function signed({ udid, certificatePem, keyPem }: Attacker, insides: readonly string[]): SignedMessage[] {
  const signer = { certificate: readCertificate(certificatePem), privateKey: createPrivateKey(keyPem) };
  return insides.map((inside) => {
    const body = Buffer.from(`<plist><dict><key>UDID</key><string>${udid}</string>${inside}</dict></plist>`);
    return { body, signature: signDetached(body, signer, 'no-attributes-sha1').toString('base64') };
  });
}

/** Small ones: check-ins, and an error chain. */
export const worstSmall = (attacker: Attacker): SignedMessage[] =>
  signed(attacker, [
    ...['Authenticate', 'TokenUpdate'].map(
      (type) => `<key>MessageType</key><string>${type}</string>${fill('<key>a</key><true/>', SMALL)}`,
    ),
    `<key>Status</key><string>Idle</string><key>ErrorChain</key><array>${fill('<dict/>', SMALL)}</array>`,
  ]);

const acknowledges = (uuid: string): string =>
  `<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>${uuid}</string>`;

/** As large as lists, and nobody can read them. */
export const worstUnreadable = (attacker: Attacker): SignedMessage[] =>
  signed(attacker, [
    `${acknowledges(randomUUID())}<key>A</key><string>${fill('&amp;', 500_000)}</string>`,
    `${acknowledges(randomUUID())}<key>A</key><data>${fill('Q \n', 1_900_000)}</data>`,
  ]);

const array = (key: string, item: string): string =>
  `<key>${key}</key><array>${fill(`<dict>${item}</dict>`, 640_000)}</array>`;

/** By request type: as many entries as are taken at all. */
export const LISTS: Readonly<Record<string, string>> = {
  ProfileList: array('ProfileList', '<key>PayloadIdentifier</key><string>a</string>'),
  InstalledApplicationList: array('InstalledApplicationList', '<key>Identifier</key><string>a</string>'),
  CertificateList: array('CertificateList', '<key>Data</key><data>MIIBADCCAQA=</data>'),
};

/** @param commands by request type, of each round one @returns for each round one list of each kind, as the response to its command */
export function worstLists(
  attacker: Attacker,
  commands: Readonly<Record<string, readonly string[]>>,
): SignedMessage[][] {
  const rounds = Math.max(...Object.values(commands).map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) =>
    signed(
      attacker,
      Object.entries(LISTS).map(([type, list]) => `${acknowledges(commands[type]?.[round] ?? '')}${list}`),
    ),
  );
}

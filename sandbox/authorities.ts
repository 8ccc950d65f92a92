// The sandbox's authorities, made on its first start: one for its TLS servers, one that plays Apple's for push certificates.
import { randomUUID, createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import type { Certificate } from '../adapters/pki/certificate.ts';
import { readCertificate } from '../adapters/pki/certificate.ts';
import { CertificateAuthority, newRsaKeyPair } from '../adapters/pki/certificate-authority.ts';
import { StateFile, writeWhole } from './state-file.ts';

const DAY_MS = 24 * 3600 * 1000;
const YEAR_MS = 365 * DAY_MS;

interface KeptAuthority {
  readonly certificate: string;
  readonly privateKey: string;
}
interface KeptServer extends KeptAuthority {
  readonly chain: string;
}
export interface Authorities {
  readonly tls: CertificateAuthority;
  readonly apple: CertificateAuthority;
  /** For every TLS server of the sandbox, on localhost and 127.0.0.1. PEM. */
  readonly server: { readonly key: string; readonly certificate: string };
  readonly files: {
    readonly authority: string;
    readonly deviceTlsCertificate: string;
    readonly deviceTlsKey: string;
    readonly pushCertificate: string;
  };
  /** A push certificate as Apple issues it: topic in the subject's UID, one year. PEM of certificate and key. */
  issuePushCertificate(topic?: string): Promise<{ topic: string; pem: string }>;
}

const pemOf = (authority: CertificateAuthority): KeptAuthority => ({
  certificate: authority.certificate.pem,
  privateKey: authority.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
});

async function openAuthority(
  folder: string,
  name: string,
  commonName: string,
): Promise<CertificateAuthority> {
  const file = new StateFile<KeptAuthority>(join(folder, `${name}.json`));
  const kept = await file.read();
  if (kept)
    return new CertificateAuthority({
      certificate: readCertificate(kept.certificate),
      privateKey: createPrivateKey(kept.privateKey),
    });
  const now = Date.now();
  const made = await CertificateAuthority.create({
    commonName,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + 20 * YEAR_MS),
  });
  await file.write(() => pemOf(made));
  return made;
}

async function openServer(folder: string, tls: CertificateAuthority): Promise<KeptServer> {
  const file = new StateFile<KeptServer>(join(folder, 'server.json'));
  const kept = await file.read();
  if (kept) return kept;
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = tls.issue({
    subject: [['CN', 'localhost']],
    publicKey,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 10 * YEAR_MS),
    use: 'server',
    // NanoMDM cannot be pointed at another push service: a proxy leads it here.
    dnsNames: ['localhost', 'api.push.apple.com'],
    ipAddresses: ['127.0.0.1', '::1'],
  });
  const made = {
    certificate: certificate.pem,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    chain: `${certificate.pem.trimEnd()}\n${tls.certificate.pem}`,
  };
  await file.write(() => made);
  return made;
}

/** Opens what is in the folder, makes what is missing, and writes the files that Odette is pointed at. */
export async function openAuthorities(folder: string): Promise<Authorities> {
  const [tls, apple] = await Promise.all([
    openAuthority(folder, 'tls-authority', 'Sandbox TLS Authority'),
    openAuthority(folder, 'apple-authority', 'Sandbox Apple Application Integration Authority'),
  ]);
  const server = await openServer(folder, tls);
  const files = {
    authority: join(folder, 'sandbox-authority.pem'),
    deviceTlsCertificate: join(folder, 'device-listener.pem'),
    deviceTlsKey: join(folder, 'device-listener.key'),
    pushCertificate: join(folder, 'push-certificate.pem'),
  };
  await writeWhole(files.authority, tls.certificate.pem);
  await writeWhole(files.deviceTlsCertificate, server.chain);
  await writeWhole(files.deviceTlsKey, server.privateKey);
  const push = new StateFile<{ topic: string; pem: string }>(join(folder, 'push-certificate.json'));
  const issue = (topic?: string): Promise<{ topic: string; pem: string }> => issuePush(apple, topic);
  const kept = (await push.read()) ?? (await issue());
  await push.write(() => kept);
  await writeWhole(files.pushCertificate, kept.pem);
  return {
    tls,
    apple,
    server: { key: server.privateKey, certificate: server.chain },
    files,
    issuePushCertificate: issue,
  };
}

async function issuePush(
  apple: CertificateAuthority,
  given?: string,
): Promise<{ topic: string; pem: string }> {
  const topic = given ?? `com.apple.mgmt.External.${randomUUID()}`;
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate: Certificate = apple.issue({
    subject: [
      ['UID', topic],
      ['CN', `APSP:${topic.slice(-36)}`],
      ['C', 'US'],
    ],
    publicKey,
    notBefore: new Date(Date.now() - 3600 * 1000),
    notAfter: new Date(Date.now() + YEAR_MS),
    use: 'client',
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { topic, pem: `${certificate.pem.trimEnd()}\n${key}` };
}

// The device listener takes renewed TLS files into use while it runs, and keeps the old ones while the new ones do not fit.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateAuthority, newRsaKeyPair } from '../adapters/pki/certificate-authority.ts';
import { startListener, type Listener } from './listeners.ts';
import { watchTlsFiles, type TlsFiles } from './tls-files.ts';

const DAY = 86_400_000;
let folder: string;
let authority: CertificateAuthority;
let listener: Listener;
let tls: TlsFiles;
const warned: object[] = [];
const ends: Date[] = [];

async function issue(days: number) {
  const { publicKey, privateKey } = await newRsaKeyPair();
  const { pem } = authority.issue({
    subject: [['CN', 'localhost']],
    publicKey,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + days * DAY),
    use: 'client',
  });
  return { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
const at = (name: string) => path.join(folder, name);
async function place(name: string, content: string) {
  await writeFile(at(`${name}.new`), content);
  await rename(at(`${name}.new`), at(name));
}
const presented = () =>
  new Promise<number>((resolve, reject) => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(Math.round((Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / DAY));
      socket.destroy();
    });
    socket.on('error', reject);
  });

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-tls-'));
  const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 999 * DAY) };
  authority = await CertificateAuthority.create({ commonName: 'Test authority', ...dates });
  const first = await issue(5);
  await place('cert.pem', first.cert + authority.certificate.pem);
  await place('key.pem', first.key);
  let running: Listener | undefined;
  tls = await watchTlsFiles(
    { certificateFile: at('cert.pem'), keyFile: at('key.pem') },
    {
      log: { info: () => undefined, warn: (entry: object) => void warned.push(entry) } as never,
      lookEveryMs: 20,
      onContent: (content) => {
        running?.replaceTls(content);
        ends.push(content.signer.certificate.notAfter);
      },
    },
  );
  running = await startListener('device', (_request, response) => response.end(), LISTEN, {
    tls: tls.current(),
  });
  listener = running;
});
const LISTEN = { host: '127.0.0.1', port: 0 };
afterAll(async () => {
  tls.stop();
  await listener.stop(100);
  await rm(folder, { recursive: true });
});

test('a renewed pair is presented, and half a renewal is not', async () => {
  expect(await presented()).toBe(5);
  const renewed = await issue(90);
  await place('cert.pem', renewed.cert);
  await expect.poll(() => warned.length).toBe(1);
  expect(warned[0]).toMatchObject({
    reason: expect.stringContaining('do not hold a certificate and its key') as string,
  });
  expect(await presented()).toBe(5);
  await place('key.pem', renewed.key);
  await expect.poll(presented).toBe(90);
  expect(ends).toHaveLength(2);
  expect(tls.current().signer.certificate.notAfter).toEqual(ends[1]);
});

test('files that are gone leave the pair in use', async () => {
  await rm(at('key.pem'));
  await expect.poll(() => warned.length).toBe(2);
  expect(await presented()).toBe(90);
  expect(JSON.stringify(warned)).not.toContain('PRIVATE');
});

test('what cannot be used at the start is refused by the name of its file', async () => {
  const paths = { certificateFile: at('cert.pem'), keyFile: at('none.pem') };
  const log = { info: () => undefined, warn: () => undefined } as never;
  await expect(watchTlsFiles(paths, { log, onContent: () => undefined })).rejects.toThrow(
    /Cannot read the TLS file .*none\.pem \(ENOENT\)/,
  );
});

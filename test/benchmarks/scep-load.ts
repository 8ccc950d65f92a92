// SCEP requests made beforehand, one for each device, as the load of an authority.
import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'undici';
import { selfSign, type KeyPair } from '../../adapters/pki/certificate-authority.ts';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import { buildCsr } from '../../adapters/pki/csr.ts';
import { buildPkcsReq, readCertRep, transactionIdFor } from '../../adapters/pki/scep-message.ts';
import type { LoadDevice, Timed } from './device-load.ts';

/** Sends the request, and reads the certificate outside of the time that counts. */
export type ScepRequest = (timed: Timed) => Promise<LoadDevice>;

/** @param challenge one for this device */
export function prepareScep(options: {
  readonly pool: Pool;
  readonly authority: Certificate;
  readonly keyPair: KeyPair;
  readonly challenge: string;
}): ScepRequest {
  const { pool, authority, keyPair, challenge } = options;
  const udid = randomUUID().toUpperCase();
  const subject = [['CN', udid]] as const;
  const now = Date.now();
  const signer = {
    certificate: selfSign(
      {
        subject,
        publicKey: keyPair.publicKey,
        notBefore: new Date(now - 3_600_000),
        notAfter: new Date(now + 3_600_000),
        use: 'registration',
      },
      keyPair.privateKey,
    ),
    privateKey: keyPair.privateKey,
  };
  const transaction = { transactionId: transactionIdFor(signer.certificate), senderNonce: randomBytes(16) };
  const body = buildPkcsReq({
    csr: buildCsr({ subject, keyPair, challengePassword: challenge }),
    signer,
    recipient: authority,
    transaction,
    algorithms: { cipher: 'aes-128-cbc', digest: 'sha256' },
  });
  const headers = { 'content-type': 'application/x-pki-message' };
  return async (timed) => {
    const bytes = await timed(
      pool
        .request({ path: '/scep?operation=PKIOperation', method: 'POST', body, headers })
        .then(({ body: response }) => response.arrayBuffer()),
    );
    const response = readCertRep(Buffer.from(bytes), {
      transaction,
      recipient: signer,
      authorities: [authority],
    });
    if (response.status !== 'success') throw new Error(`SCEP: ${response.status}`);
    const [certificate] = response.certificates;
    if (!certificate) throw new Error('SCEP: no certificate');
    return { udid, identity: { certificate, privateKey: keyPair.privateKey } };
  };
}

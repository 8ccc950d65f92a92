// The SCEP request that a Mac sent to another server, byte for byte: it is signed by a key made for the message, around the request of another.
import { createPrivateKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { recordedMessage } from '../../test/recorded-message.ts';
import { CertificateAuthority, type KeyAndCertificate } from './certificate-authority.ts';
import { readCertificates, type Certificate } from './certificate.ts';
import { openPkcsReq, readScepRequest } from './scep-message.ts';
import { handlePkiOperation } from './scep-server.ts';

/** The authority that it was encrypted to: a throw-away one, published with the request. */
function recipient(): KeyAndCertificate {
  const [certificate] = readCertificates(recordedMessage('scep/ca.crt').toString());
  if (!certificate) throw new Error('no certificate');
  return {
    certificate,
    privateKey: createPrivateKey({ key: recordedMessage('scep/ca.key'), passphrase: '' }),
  };
}

const message = recordedMessage('scep/PKCSReq.der');

test('a Mac signs with a key made for the message, and asks for a certificate of another', () => {
  const request = readScepRequest(message);
  expect(request).toMatchObject({ messageType: '19', digest: 'sha1' });
  expect(request.signer.subject).toBe('C=US,CN=MDM SCEP SIGNER');
  expect(request.signer.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  const { csr, cipher } = openPkcsReq(request, recipient());
  expect(cipher).toBe('des-ede3-cbc');
  expect(csr.subject.join()).toContain('com.apple.security.scep.');
  expect(csr.publicKey.equals(request.signer.publicKey)).toBe(false);
});

test('it is answered with a certificate for the key of the request, which only its signer can open', async () => {
  const dates = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await CertificateAuthority.create({ commonName: 'Recorded', ...dates });
  const issued: Certificate[] = [];
  const { status, body, refusal } = await handlePkiOperation(message, {
    authority,
    registration: recipient(),
    decide: ({ subject, publicKey }) => {
      issued.push(authority.issue({ subject, publicKey, use: 'client', ...dates }));
      return issued[0] as Certificate;
    },
  });
  expect([status, refusal]).toEqual([200, undefined]);
  const { csr } = openPkcsReq(readScepRequest(message), recipient());
  expect(issued.map(({ publicKey }) => publicKey.equals(csr.publicKey))).toEqual([true]);
  const response = readScepRequest(body);
  expect(response).toMatchObject({
    messageType: '3',
    transactionId: readScepRequest(message).transactionId,
    digest: 'sha1',
  });
  // In clear stands only whom the envelope is for.
  expect(response.envelope.includes('MDM SCEP SIGNER')).toBe(true);
});

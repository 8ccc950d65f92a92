// Asks a SCEP URL for its authority's certificates: the check of a pasted URL, and what is compared from day to day.
import { readCertificate, type Certificate } from '../pki/certificate.ts';
import { readSignedData } from '../pki/signed-data.ts';
import { CataloguedError } from '../../domain/failures.ts';
import type { AuthorityCertificate } from '../../domain/integration-check.ts';
import { guardedHttp } from './guarded-http.ts';

/**
 * GetCACert (RFC 8894 §4.2): a certificate must come; whose it is decides nothing (docs/decisions/0010). The URL is opaque: nothing is
 * expected of its path, and its query is kept.
 * @throws CataloguedError `okta.scep_unexpected_response`, `okta.scep_unreachable`, `okta.host_not_allowed`
 */
export async function checkScepUrl(access: {
  readonly url: string;
  readonly allowedPrivateHosts: readonly string[];
}): Promise<readonly AuthorityCertificate[]> {
  const url = URL.canParse(access.url) ? new URL(access.url) : undefined;
  if (url === undefined) throw unexpected(0);
  url.searchParams.set('operation', 'GetCACert');
  const response = await guardedHttp(access.allowedPrivateHosts).send({
    url,
    headers: { accept: '*/*' },
    maxBytes: 256 * 1024,
    unreachable: 'okta.scep_unreachable',
  });
  if (response.status >= 500) {
    throw new CataloguedError('okta.scep_unreachable', { facts: { status: response.status } });
  }
  const type = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const read =
    type === 'application/x-x509-ca-cert'
      ? (body: Buffer) => [readCertificate(body)]
      : type === 'application/x-x509-ca-ra-cert'
        ? (body: Buffer) => readSignedData(body).certificates
        : undefined;
  if (response.status !== 200 || read === undefined) throw unexpected(response.status);
  try {
    const certificates = read(response.body).map(shown);
    if (certificates.length > 0) return certificates;
  } catch {
    // Said below, without the bytes that could not be read.
  }
  throw unexpected(response.status);
}

const shown = ({ fingerprint, subject, isAuthority, notAfter }: Certificate): AuthorityCertificate => ({
  fingerprint: fingerprint.toString('hex'),
  subject,
  isAuthority,
  notAfter: notAfter.toISOString(),
});

const unexpected = (status: number): CataloguedError =>
  new CataloguedError('okta.scep_unexpected_response', { facts: { status } });

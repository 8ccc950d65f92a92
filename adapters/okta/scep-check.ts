// Asks a SCEP URL for its authority's certificates: the check of a pasted URL, and the source of the issuer's name.
import { readCertificate } from '../pki/certificate.ts';
import { readSignedData } from '../pki/signed-data.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { guardedHttp } from './guarded-http.ts';

export interface ScepAuthority {
  /** RFC 4514 names that certificates of this authority carry as issuer. Okta renews them by itself: never pinned. */
  readonly issuers: readonly string[];
}

/**
 * GetCACert (RFC 8894 §4.2). The URL is opaque: nothing is expected of its path, and its query is kept.
 * @throws CataloguedError `okta.scep_unexpected_answer`, `okta.scep_unreachable`, `okta.host_not_allowed`
 */
export async function checkScepUrl(access: {
  readonly url: string;
  readonly allowedPrivateHosts: readonly string[];
}): Promise<ScepAuthority> {
  const url = URL.canParse(access.url) ? new URL(access.url) : undefined;
  if (url === undefined) throw unexpected(0);
  url.searchParams.set('operation', 'GetCACert');
  const answer = await guardedHttp(access.allowedPrivateHosts).send({
    url,
    headers: { accept: '*/*' },
    maxBytes: 256 * 1024,
    unreachable: 'okta.scep_unreachable',
  });
  if (answer.status >= 500) {
    throw new CataloguedError('okta.scep_unreachable', { facts: { status: answer.status } });
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const read =
    type === 'application/x-x509-ca-cert'
      ? (body: Buffer) => [readCertificate(body)]
      : type === 'application/x-x509-ca-ra-cert'
        ? (body: Buffer) => readSignedData(body).certificates
        : undefined;
  if (answer.status !== 200 || read === undefined) throw unexpected(answer.status);
  try {
    const certificates = read(answer.body);
    const authorities = certificates.filter(({ isAuthority }) => isAuthority);
    const issuers = (authorities.length > 0 ? authorities : certificates).map(({ subject }) => subject);
    if (issuers.length > 0) return { issuers };
  } catch {
    // Said below, without the bytes that could not be read.
  }
  throw unexpected(answer.status);
}

const unexpected = (status: number): CataloguedError =>
  new CataloguedError('okta.scep_unexpected_answer', { facts: { status } });

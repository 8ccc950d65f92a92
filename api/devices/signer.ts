// Who sent a device message: the identity that signed its exact bytes, or the client certificate that a trusted proxy passed on.
import { BlockList, isIPv6 } from 'node:net';
import type { Request } from 'express';
import { readClientCertHeader, verifyMdmSignature } from '../../adapters/mdm/message-signature.ts';
import type { CertificateAuthority } from '../../adapters/pki/certificate-authority.ts';
import { type Certificate, wasIssuedBy } from '../../adapters/pki/certificate.ts';
import { CataloguedError } from '../../domain/failures.ts';

export interface Signer {
  readonly certificate: Certificate;
  /** An identity past its end still tells who speaks, so that it can be renewed; it enrolls nothing any more. */
  readonly isValidNow: boolean;
}

/**
 * Reads the signer of a message and makes sure that Odette's own authority issued it.
 * @throws CataloguedError `mdm.signature_refused`
 */
export function readSigner(
  request: Request,
  body: Buffer,
  authority: CertificateAuthority,
  isTrustedProxy: (address: string | undefined) => boolean,
): Signer {
  const certificate = presented(request, body, isTrustedProxy);
  if (!wasIssuedBy(certificate, authority.certificate, certificate.notBefore))
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'issuer' } });
  const now = new Date();
  return { certificate, isValidNow: now >= certificate.notBefore && now <= certificate.notAfter };
}

function presented(
  request: Request,
  body: Buffer,
  isTrustedProxy: (address: string | undefined) => boolean,
): Certificate {
  const signature = request.get('Mdm-Signature');
  if (signature !== undefined) return verifyMdmSignature(signature, body);
  // RFC 9440: only the proxy that ended TLS may say so; from anybody else the header is a claim.
  const passedOn = request.get('Client-Cert');
  if (passedOn !== undefined && isTrustedProxy(request.socket.remoteAddress))
    return readClientCertHeader(passedOn);
  throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'absent' } });
}

/** @param cidrs comma list of addresses or CIDRs, e.g. `10.0.0.0/8, fd00::/8`; undefined: no proxy is trusted */
export function trustedProxies(cidrs: string | undefined): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const entry of (cidrs ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => {
    if (address === undefined) return false;
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

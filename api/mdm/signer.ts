// Who sent a device message: the identity that signed its exact bytes, or the client certificate that a trusted proxy passed on.
import { BlockList, isIPv6 } from 'node:net';
import type { Request } from 'express';
import { readClientCertHeader, readMdmSignature } from '../../adapters/mdm/message-signature.ts';
import type { CertificateAuthority } from '../../adapters/pki/certificate-authority.ts';
import { type Certificate, wasIssuedBy } from '../../adapters/pki/certificate.ts';
import type { DetachedSignature } from '../../adapters/pki/cms.ts';
import { CataloguedError } from '../../domain/failures.ts';

export interface Signer {
  readonly certificate: Certificate;
  /** An identity past its end still tells who speaks, so that it can be renewed; it enrolls nothing any more. */
  readonly isValidNow: boolean;
}

export interface Claim {
  /** SHA-256 of the certificate that is said to speak. */
  readonly fingerprint: Buffer;
  /** Makes sure that the message is the signer's. @throws CataloguedError `mdm.signature_refused` */
  proveFor(body: Buffer): Signer;
}

/**
 * Who says to speak, before a byte of the message is read: without a certificate of Odette's own authority nobody is listened to.
 * @throws CataloguedError `mdm.signature_refused`
 */
export function readClaim(
  request: Request,
  authority: CertificateAuthority,
  passesClientCert: (address: string | undefined) => boolean,
): Claim {
  const { signer: certificate, check } = presented(request, passesClientCert);
  if (!wasIssuedBy(certificate, authority.certificate, certificate.notBefore))
    throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'issuer' } });
  return {
    fingerprint: certificate.fingerprint,
    proveFor(body) {
      check(body);
      const now = new Date();
      return { certificate, isValidNow: now >= certificate.notBefore && now <= certificate.notAfter };
    },
  };
}

function presented(
  request: Request,
  passesClientCert: (address: string | undefined) => boolean,
): DetachedSignature {
  const signature = request.get('Mdm-Signature');
  if (signature !== undefined) return readMdmSignature(signature);
  // RFC 9440: only the proxy that ended TLS may say so; from anybody else the header is a claim.
  const passedOn = request.get('Client-Cert');
  if (passedOn !== undefined && passesClientCert(request.socket.remoteAddress))
    return { signer: readClientCertHeader(passedOn), check: () => undefined };
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

// Who sent a device message: the signer of its exact bytes (`Mdm-Signature`), or the client certificate that a TLS proxy
// passes on (RFC 9440). Whether Odette issued that certificate, and to whom, is for the caller to check.
import { CataloguedError } from '../../domain/failures.ts';
import { readCertificate, type Certificate } from '../pki/certificate.ts';
import { readDetached, type DetachedSignature } from '../pki/cms.ts';

/** A signature of a 4096-bit key with a chain of certificates stays well below; longer headers are not decoded. */
const MAX_HEADER_LENGTH = 32 * 1024;

/**
 * @param header base64 of a detached CMS signature over the request body exactly as it came, before any parsing
 * @throws CataloguedError `mdm.signature_refused`
 */
export function readMdmSignature(header: string): DetachedSignature {
  return readDetached(base64Of(header));
}

/**
 * @param value `:base64 of the DER:`, a Byte Sequence of structured fields (RFC 9440 §2.2)
 * @throws CataloguedError `mdm.signature_refused`
 */
export function readClientCertHeader(value: string): Certificate {
  const base64 = /^\s*:([^:]*):\s*$/.exec(value)?.[1];
  if (base64 === undefined) throw new CataloguedError('mdm.signature_refused');
  try {
    return readCertificate(base64Of(base64));
  } catch (cause) {
    throw new CataloguedError('mdm.signature_refused', { cause });
  }
}

function base64Of(text: string): Buffer {
  const base64 = text.replace(/\s+/g, '');
  if (base64 === '' || base64.length > MAX_HEADER_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw new CataloguedError('mdm.signature_refused');
  }
  return Buffer.from(base64, 'base64');
}

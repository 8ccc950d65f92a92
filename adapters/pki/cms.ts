// What the product signs, checks, hides and opens with CMS (RFC 5652): messages of devices, profiles, SCEP.
import { CataloguedError } from '../../domain/failures.ts';
import type { KeyAndCertificate } from './certificate-authority.ts';
import type { Certificate } from './certificate.ts';
import { checkSignature, readSignedData, signData, signDataAsDevicesDo } from './signed-data.ts';

export { envelope, openEnvelope } from './enveloped-data.ts';

export interface DetachedSignature {
  /** Who says to have signed: its issuer is for the caller to judge, and nothing is proven before `check`. */
  readonly signer: Certificate;
  /** That the signer signed exactly these bytes. @throws CataloguedError `mdm.signature_refused` */
  check(content: Uint8Array): void;
}

/**
 * Taken: BER and DER, SHA-1 and SHA-2, with and without signed attributes.
 * @throws CataloguedError `mdm.signature_refused`
 */
export function readDetached(signature: Uint8Array): DetachedSignature {
  const { signedData, signer } = refusing(() => {
    const read = readSignedData(signature);
    if (read.signer === undefined) throw new Error('nobody signed');
    return { signedData: read, signer: read.signer.certificate };
  });
  return {
    signer,
    check: (content) => {
      refusing(() => {
        // Some signers (`openssl cms -stream`, simulators) repeat the content inside: it must be these very bytes.
        const inside = signedData.content;
        if (inside !== undefined && !inside.equals(content))
          throw new Error('the signature carries another content');
        checkSignature(signedData, content);
      });
    },
  };
}

/** Both in one. @throws CataloguedError `mdm.signature_refused` */
export function verifyDetached(signature: Uint8Array, content: Uint8Array): Certificate {
  const { signer, check } = readDetached(signature);
  check(content);
  return signer;
}

/** As above for a signature that carries its content. @throws CataloguedError `mdm.signature_refused` */
export function verifyAttached(der: Uint8Array): { content: Buffer; signer: Certificate } {
  return refusing(() => {
    const signedData = readSignedData(der);
    const { content } = signedData;
    if (content === undefined) throw new Error('there is no content');
    return { content, signer: checkSignature(signedData, content) };
  });
}

function refusing<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (cause) {
    throw new CataloguedError('mdm.signature_refused', { cause });
  }
}

/** `no-attributes-sha1` is the form of real devices (BER); `attributes-sha256` that of many simulators (DER). */
export function signDetached(
  content: Uint8Array,
  signer: KeyAndCertificate,
  form: 'attributes-sha256' | 'no-attributes-sha1',
): Buffer {
  return form === 'attributes-sha256'
    ? signData({ content, digest: 'sha256', attributes: [] }, signer)
    : signDataAsDevicesDo({ content, digest: 'sha1', attributes: undefined }, signer);
}

/** A signed profile: DER with the content inside, SHA-256, and the signer's chain for devices to show. */
export function signAttached(
  content: Uint8Array,
  signer: KeyAndCertificate,
  chain: readonly Certificate[] = [],
): Buffer {
  return signData({ content, attached: true, digest: 'sha256', attributes: [], chain }, signer);
}

// Certificates that were read not long ago: a device signs each message with the same one, and reading it costs as much as the rest.
import { RecentlyUsed } from '../../domain/recently-used.ts';
import { readCertificate, type Certificate } from './certificate.ts';

/** An identity has one kilobyte; a larger one is not kept. */
const MAX_KEPT_BYTES = 4096;
/** By their DER. */
const recent = new RecentlyUsed<Certificate>(1000);

/** As `readCertificate` reads it. @throws CataloguedError `certificate.unreadable` */
export function readRecentCertificate(der: Buffer): Certificate {
  if (der.length > MAX_KEPT_BYTES) return readCertificate(der);
  const key = der.toString('latin1');
  const known = recent.get(key);
  if (known) return known;
  const certificate = readCertificate(der);
  recent.set(key, certificate);
  return certificate;
}

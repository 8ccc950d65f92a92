// Certificates that were read not long ago: a device signs each message with the same one, and reading it costs as much as the rest.
import { readCertificate, type Certificate } from './certificate.ts';

const MAX_KEPT = 1000;
/** An identity has one kilobyte; who sends more is not kept. */
const MAX_KEPT_BYTES = 4096;
/** By the DER; the one that was used longest ago is first. */
const kept = new Map<string, Certificate>();

/** As `readCertificate` reads it. @throws CataloguedError `certificate.unreadable` */
export function readRecentCertificate(der: Buffer): Certificate {
  const key = der.toString('latin1');
  const certificate = kept.get(key) ?? readCertificate(der);
  kept.delete(key);
  if (der.length <= MAX_KEPT_BYTES) kept.set(key, certificate);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return certificate;
}

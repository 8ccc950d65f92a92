// Connects to an address as an Apple device would, and says what the device would not accept (Apple, "Requirements for connecting
// using ATS": TLS 1.3, or TLS 1.2 with ECDHE; extended master secret, RFC 7627).
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import forge from 'node-forge';

export interface TlsConnection {
  /** What an Apple device does not accept, one sentence each; empty: nothing. */
  readonly problems: readonly string[];
  /** Of the certificate that was presented. */
  readonly notAfter: Date;
}

const TIMEOUT_MS = 5_000;
/** All suites of TLS 1.3 have forward secrecy; of TLS 1.2 these. */
const APPLE_ACCEPTS: ConnectionOptions = {
  minVersion: 'TLSv1.2',
  ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES',
};
const ANYTHING: ConnectionOptions = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };

/** undefined: nobody speaks TLS there, at least not to this machine, so nothing can be said. @param url https */
export async function checkConnection(url: string): Promise<TlsConnection | undefined> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const to = { host, port: Number(port || 443), servername: /^[\d.]+$|:/.test(host) ? '' : host };
  const found = (await handshake({ ...to, ...APPLE_ACCEPTS })) ?? (await handshake({ ...to, ...ANYTHING }));
  if (!found) return undefined;
  const { protocol, cipher, hasExtendedMasterSecret, problem, notAfter } = found;
  const isAccepted = protocol === 'TLSv1.3' || (protocol === 'TLSv1.2' && cipher.startsWith('ECDHE'));
  return {
    notAfter,
    problems: [
      ...(isAccepted
        ? []
        : [`It offers ${protocol} with ${cipher}; Apple devices need TLS 1.3, or TLS 1.2 with ECDHE.`]),
      ...(protocol === 'TLSv1.2' && !hasExtendedMasterSecret
        ? ['It offers no extended master secret (RFC 7627) with TLS 1.2.']
        : []),
      ...(problem === undefined ? [] : [problem]),
    ],
  };
}

interface Handshake {
  readonly protocol: string;
  readonly cipher: string;
  readonly hasExtendedMasterSecret: boolean;
  /** With the certificate, whoever issued it: an authority of the organization may be known to its devices alone. */
  readonly problem: string | undefined;
  readonly notAfter: Date;
}

function handshake(options: ConnectionOptions): Promise<Handshake | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...options, rejectUnauthorized: false });
    const end = (result: Handshake | undefined) => {
      resolve(result);
      socket.destroy();
    };
    socket.setTimeout(TIMEOUT_MS, () => end(undefined));
    socket.once('error', () => end(undefined));
    socket.once('secureConnect', () => end(describe(socket)));
  });
}

function describe(socket: TLSSocket): Handshake {
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol() ?? 'nothing',
    cipher: socket.getCipher().name,
    hasExtendedMasterSecret: usesExtendedMasterSecret(socket.getSession()),
    problem: PROBLEMS[String(socket.authorizationError)],
    notAfter: new Date(certificate.valid_to),
  };
}

/** By Node's `authorizationError`. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Its certificate has expired.',
  CERT_NOT_YET_VALID: 'Its certificate is not valid yet.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for a different host name.',
};

const FLAGS_TAG = 13;
const EXTENDED_MASTER_SECRET = 1;

/** OpenSSL keeps it in the flags of the session (SSL_SESSION_ASN1: flags [13]); absent flags are zero. */
function usesExtendedMasterSecret(session: Buffer | undefined): boolean {
  if (!session) return false;
  const fields = forge.asn1.fromDer(session.toString('binary')).value as forge.asn1.Asn1[];
  const flags = fields.find(
    ({ tagClass, type }) => tagClass === forge.asn1.Class.CONTEXT_SPECIFIC && Number(type) === FLAGS_TAG,
  );
  const value = (flags?.value as forge.asn1.Asn1[] | undefined)?.[0]?.value;
  if (typeof value !== 'string' || value.length === 0) return false;
  return (value.charCodeAt(value.length - 1) & EXTENDED_MASTER_SECRET) !== 0;
}

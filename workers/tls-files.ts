// Certificate and key of the device listener: read from their files, and read again when these change.
import { createHash, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { KeyAndCertificate } from '../adapters/pki/certificate-authority.ts';
import { readCertificates, type Certificate } from '../adapters/pki/certificate.ts';

export interface TlsFilePaths {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface TlsContent {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The certificate with its key, and what stands between it and an authority. */
  readonly signer: KeyAndCertificate & { readonly chain: readonly Certificate[] };
}

export interface TlsFiles {
  readonly current: () => TlsContent;
  stop(): void;
}

const LOOK_EVERY_MS = 30_000;

/**
 * Looks at the files themselves, because a renewal may replace them by a link, a rename or a write that takes a moment. While the new
 * ones do not fit together the old ones stay in use.
 * @throws Error one sentence when the files cannot be used at the start
 */
export async function watchTlsFiles(
  paths: TlsFilePaths,
  options: {
    readonly log: Pick<Logger, 'info' | 'warn'>;
    /** Also at the start. What it throws is logged, and it is called again at the next look. */
    readonly onContent: (content: TlsContent) => Promise<void> | void;
    readonly lookEveryMs?: number;
  },
): Promise<TlsFiles> {
  const { log, onContent } = options;
  let { content, digest } = await read(paths);
  let told: string | undefined;
  let complaint: string | undefined;
  const look = async () => {
    const seen = await read(paths);
    complaint = undefined;
    if (seen.digest !== digest) {
      ({ content, digest } = seen);
      log.info({ notAfter: content.signer.certificate.notAfter }, 'the TLS certificate was read again');
    }
    if (told !== digest) await onContent(content);
    told = digest;
  };
  await onContent(content);
  told = digest;
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== complaint) log.warn({ reason }, 'the TLS files cannot be used: the old ones stay');
        complaint = reason;
      })
      .finally(() => {
        isLooking = false;
      });
  }, options.lookEveryMs ?? LOOK_EVERY_MS);
  timer.unref();
  return { current: () => content, stop: () => clearInterval(timer) };
}

async function read({
  certificateFile,
  keyFile,
}: TlsFilePaths): Promise<{ content: TlsContent; digest: string }> {
  const [cert, key] = await Promise.all([readOne(certificateFile), readOne(keyFile)]);
  try {
    createSecureContext({ cert, key }); // refuses a key of another certificate
    const [certificate, ...chain] = readCertificates(cert.toString('latin1'));
    if (!certificate) throw new Error('no certificate');
    const signer = { certificate, privateKey: createPrivateKey(key), chain };
    return {
      content: { cert, key, signer },
      digest: createHash('sha256').update(cert).update('\n').update(key).digest('hex'),
    };
  } catch {
    // OpenSSL's words name no file, and the files' content must not travel.
    throw new Error(`The TLS files ${certificateFile} and ${keyFile} do not hold a certificate and its key.`);
  }
}

const readOne = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Cannot read the TLS file ${file} (${error.code}).`);
  });

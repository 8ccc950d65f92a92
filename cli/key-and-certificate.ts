// A certificate with its key, from files that are named on the command line.
import type { CommandLine } from './command-line.ts';
import { readGiven, readSecret } from './given-file.ts';
import { CliError, EXIT } from './exits.ts';
import type { Body } from './odette-client.ts';
import type { Terminal } from './terminal.ts';

/** A certificate with its key, as PEM of one file or two, or as PKCS#12. */
export async function readKeyAndCertificate(
  file: string,
  { key, passwordFile }: { readonly key?: string; readonly passwordFile?: string },
  { terminal }: CommandLine,
): Promise<Body<'put /api/push-certificate'>> {
  if (key !== undefined)
    return {
      pem: [await readAsPem(file, terminal), (await readGiven(key, terminal)).toString('utf8')].join('\n'),
    };
  const content = await readGiven(file, terminal);
  if (content.includes('-----BEGIN ')) return { pem: content.toString('utf8') };
  const typed = () => (terminal.isInteractive ? terminal.promptSecret(`Password of ${file}: `) : '');
  const password = passwordFile === undefined ? await typed() : await readSecret(passwordFile, terminal);
  return { pkcs12: content.toString('base64'), password };
}

const DER_SEQUENCE = 0x30;

/** Certificates; Apple gives its own as DER. */
export async function readAsPem(file: string, terminal: Terminal): Promise<string> {
  const content = await readGiven(file, terminal);
  if (content.includes('-----BEGIN ')) return content.toString('utf8');
  if (content[0] !== DER_SEQUENCE) throw new CliError(EXIT.usage, `${file} contains no certificate.`);
  return `-----BEGIN CERTIFICATE-----\n${content.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

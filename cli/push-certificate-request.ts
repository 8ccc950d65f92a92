// `odette push-certificate request`, `sign`, `send` and `open`: the way to a push certificate whose key stays in Odette.
import type { Command } from 'commander';
import { collect, jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { ApiProblem } from '../api/contract/client.ts';
import { readGiven, readSecret } from './given-file.ts';
import { readAsPem, readKeyAndCertificate } from './key-and-certificate.ts';
import type { ResponseOf } from './odette-client.ts';
import { moment } from './terminal.ts';

const PORTAL = 'Upload it at identity.apple.com/pushcert, then: odette push-certificate set FILE';

export function addPushCertificateRequest(push: Command, line: CommandLine): void {
  jsonCommand(
    push,
    'request',
    'prints the request for a push certificate; creates the request and its key if there is none',
  )
    .option('--new', 'make another request, with another key')
    .action(async (options: JsonOption & { readonly new?: true }) => {
      const request = await requestOf(line, options.new === true);
      line.show(options, request, () => [request.csr.trimEnd()]);
      if (!options.json) line.terminal.tell(nextAfter(request));
    });
  jsonCommand(
    push,
    'sign',
    "signs the request with your MDM vendor certificate and prints it in the form that Apple's portal accepts",
  )
    .requiredOption('--vendor <file>', "the vendor's certificate and key: PEM or PKCS#12; neither is stored")
    .option('--vendor-key <file>', 'the key as PEM, if it is in a separate file')
    .option(
      '--password-file <file>',
      'a file that contains the PKCS#12 password; without it, the command asks for the password',
    )
    .requiredOption(
      '--chain <file>',
      "a certificate between the vendor's and Apple's root, or the root (apple.com/certificateauthority); once for each file",
      collect,
    )
    .action(async (options: SignOptions) => {
      const { vendor, vendorKey, passwordFile } = options;
      const files = {
        ...(vendorKey !== undefined && { key: vendorKey }),
        ...(passwordFile !== undefined && { passwordFile }),
      };
      const read = await readKeyAndCertificate(vendor, files, line);
      const chain = await Promise.all(options.chain.map((file) => readAsPem(file, line.terminal)));
      const body = { ...read, chain: chain.join('\n') };
      const signed = await (await line.connect()).call('post /api/push-certificate/request/sign', { body });
      showSigned(line, options, signed);
    });
  jsonCommand(
    push,
    'send',
    'sends the request to a public signing service, which responds by email (limits: operations guide)',
  )
    .requiredOption('--email <address>', 'as you registered it at the service: a work address')
    .requiredOption(
      '--key-file <file>',
      "a file that contains the key that the service's operators gave you for this Odette",
    )
    .action(async (options: JsonOption & { readonly email: string; readonly keyFile: string }) => {
      await requestOf(line, false);
      const body = { email: options.email, key: await readSecret(options.keyFile, line.terminal) };
      const sent = await (await line.connect()).call('post /api/push-certificate/request/send', { body });
      line.show(options, sent, () => [
        'Sent. The signed request comes by email. Then: odette push-certificate open FILE',
      ]);
    });
  jsonCommand(
    push,
    'open',
    "opens the file that the signing service sent by email and prints it in the form that Apple's portal accepts",
  )
    .argument('<file>', 'the attachment; - is standard input')
    .action(async (file: string, options: JsonOption) => {
      const body = { file: (await readGiven(file, line.terminal)).toString('latin1') };
      const signed = await (await line.connect()).call('post /api/push-certificate/request/open', { body });
      showSigned(line, options, signed);
    });
}

interface SignOptions extends JsonOption {
  readonly vendor: string;
  readonly vendorKey?: string;
  readonly passwordFile?: string;
  readonly chain: readonly string[];
}

type Request = ResponseOf<'get /api/push-certificate/request'>;

async function requestOf(line: CommandLine, isNew: boolean): Promise<Request> {
  const odette = await line.connect();
  if (!isNew)
    try {
      return await odette.call('get /api/push-certificate/request');
    } catch (error) {
      if (!(error instanceof ApiProblem && error.problem.code === 'apns.request_missing')) throw error;
    }
  return odette.call('post /api/push-certificate/request');
}

const nextAfter = ({ createdAt, sentAt }: Request): string =>
  sentAt === null
    ? `Made ${moment(createdAt)}; its key stays in Odette. Next: have an MDM vendor sign it (commands sign or send, or your vendor).`
    : `Made ${moment(createdAt)}, sent to the signing service ${moment(sentAt)}: odette push-certificate open FILE`;

function showSigned(
  line: CommandLine,
  options: JsonOption,
  signed: ResponseOf<'post /api/push-certificate/request/sign'>,
) {
  line.show(options, signed, () => [signed.content]);
  if (!options.json) line.terminal.tell(PORTAL);
}

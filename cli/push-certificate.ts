// `odette push-certificate`: with what Odette wakes devices; requested, set, renewed, shown.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { readKeyAndCertificate } from './key-and-certificate.ts';
import type { ResponseOf } from './odette-client.ts';
import { addPushCertificateRequest } from './push-certificate-request.ts';
import { moment } from './terminal.ts';

interface SetOptions extends JsonOption {
  readonly key?: string;
  readonly passwordFile?: string;
  readonly accessRights?: string;
  readonly otherTopic?: true;
}

type AccessRights = ResponseOf<'get /api/push-certificate'>['accessRights'];
const ACCESS_RIGHTS = ['trust-only', 'full'];

export function addPushCertificate(program: Command, line: CommandLine): void {
  const push = program
    .command('push-certificate')
    .description("Apple's push certificate, with which Odette wakes devices");
  jsonCommand(
    push,
    'set',
    'sets the push certificate or its renewal; with another topic, Odette could not wake enrolled devices',
  )
    .argument(
      '<file>',
      'the certificate that Apple issued for `odette push-certificate request`; or certificate and key as PEM, or PKCS#12 (.p12); - is standard input',
    )
    .option('--key <file>', 'the key as PEM, if it is in a separate file')
    .option(
      '--password-file <file>',
      'a file that contains the PKCS#12 password; without it, the command asks for the password',
    )
    .addOption(
      new Option(
        '--access-rights <preset>',
        'set with the first certificate and fixed afterwards. trust-only: no tool can ever lock or erase a device through this enrollment. full: the enrollment screen says that the administrator may erase all data',
      ).choices(ACCESS_RIGHTS),
    )
    .option(
      '--other-topic',
      'use it although devices are enrolled with another topic: they must enroll again',
    )
    .action(async (file: string, options: SetOptions) => {
      const read = await readKeyAndCertificate(file, options, line);
      const body = {
        ...read,
        ...(options.accessRights !== undefined && {
          accessRights: options.accessRights.replace('-', '_') as AccessRights,
        }),
        ...(options.otherTopic && { confirmOtherTopic: true }),
      };
      const set = await (await line.connect()).call('put /api/push-certificate', { body });
      line.show(options, set, () => pushLines(set));
    });
  addPushCertificateRequest(push, line);
  jsonCommand(push, 'show', 'shows its topic and when it expires').action(async (options: JsonOption) => {
    const set = await (await line.connect()).call('get /api/push-certificate');
    line.show(options, set, () => pushLines(set));
  });
}

function pushLines({
  topic,
  accessRights,
  notAfter,
  daysLeft,
  refusedAt,
  others,
}: ResponseOf<'get /api/push-certificate'>): string[] {
  return [
    `Push certificate: ${topic}`,
    accessRights === 'full'
      ? 'Access rights: full. Later tools can lock and erase devices that enroll.'
      : 'Access rights: trust only. Devices that enroll can never be locked or erased through Odette.',
    `Valid until ${moment(notAfter)} (${plural(daysLeft, 'day')}).`,
    ...(refusedAt === null
      ? []
      : [`Apple has rejected it since ${moment(refusedAt)}: renew it at identity.apple.com/pushcert.`]),
    ...others.map(
      (other) =>
        `Still in use by ${plural(other.devices, 'device')}: ${other.topic}, ` +
        (other.refusedAt === null ? `until ${moment(other.notAfter)}.` : 'which Apple rejects.'),
    ),
  ];
}

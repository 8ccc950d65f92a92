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
      "Apple's answer to `odette push-certificate request`; or certificate and key as PEM, or PKCS#12 (.p12); - is standard input",
    )
    .option('--key <file>', 'the key as PEM, if it is in a separate file')
    .option(
      '--password-file <file>',
      'a file that holds the password of PKCS#12; Odette asks for it otherwise',
    )
    .addOption(
      new Option(
        '--access-rights <preset>',
        'with the first certificate, never changed afterwards: with trust-only no tool can ever lock or erase a device through this ' +
          'enrollment; with full people read at enrollment that the administrator may erase all data',
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
      ? 'Access rights: full. Devices that enroll may be locked and erased by a later tool.'
      : 'Access rights: trust only. Devices that enroll can never be locked or erased through Odette.',
    `Valid until ${moment(notAfter)} (${plural(daysLeft, 'day')}).`,
    ...(refusedAt === null
      ? []
      : [`Apple rejects it since ${moment(refusedAt)}: renew it at identity.apple.com/pushcert.`]),
    ...others.map(
      (other) =>
        `Still in use by ${plural(other.devices, 'device')}: ${other.topic}, ` +
        (other.refusedAt === null ? `until ${moment(other.notAfter)}.` : 'which Apple refuses.'),
    ),
  ];
}

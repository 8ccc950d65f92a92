// `odette push-certificate` and `odette apps-and-books`: what Apple gives to an organization.
import { Option, type Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { readGiven, readSecret } from './given-file.ts';
import type { ResponseOf, Body } from './odette-client.ts';
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
    'sets the push certificate, or its renewal: with another topic, enrolled devices could not be woken',
  )
    .argument('<file>', 'certificate and key as PEM, or PKCS#12 (.p12); - is standard input')
    .option('--key <file>', 'the key as PEM, if it is in a file of its own')
    .option(
      '--password-file <file>',
      'a file that holds the password of PKCS#12; asked for if it is not given',
    )
    .addOption(
      new Option(
        '--access-rights <preset>',
        'with the first certificate, never changed afterwards: with trust-only no tool can ever lock or erase a device through this ' +
          'enrollment; with full people read at enrollment that the administrator may erase all data',
      ).choices(ACCESS_RIGHTS),
    )
    .option('--other-topic', 'take it though devices are enrolled with another topic: they must enroll again')
    .action(async (file: string, options: SetOptions) => {
      const read = await readPushCertificate(file, options, line);
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
  jsonCommand(push, 'show', 'shows its topic and when it ends').action(async (options: JsonOption) => {
    const set = await (await line.connect()).call('get /api/push-certificate');
    line.show(options, set, () => pushLines(set));
  });
}

async function readPushCertificate(
  file: string,
  { key, passwordFile }: SetOptions,
  { terminal }: CommandLine,
): Promise<Body<'put /api/push-certificate'>> {
  const content = await readGiven(file, terminal);
  if (content.includes('-----BEGIN ')) {
    const parts = [content, ...(key === undefined ? [] : [await readGiven(key, terminal)])];
    return { pem: parts.map((part) => part.toString('utf8')).join('\n') };
  }
  const typed = () => (terminal.isInteractive ? terminal.promptSecret(`Password of ${file}: `) : '');
  const password = passwordFile === undefined ? await typed() : await readSecret(passwordFile, terminal);
  return { pkcs12: content.toString('base64'), password };
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

export function addAppsAndBooks(program: Command, line: CommandLine): void {
  const apps = program
    .command('apps-and-books')
    .description('the Apps and Books token, which gives each device its license of Okta Verify');
  jsonCommand(apps, 'set', 'sets the token, or a newer one')
    .argument(
      '<file>',
      "the location's server token (.vpptoken) as Apple Business Manager gives it; - is standard input",
    )
    .option('--take-over', 'take it though another MDM server uses the location: it loses its licenses')
    .action(async (file: string, options: JsonOption & { readonly takeOver?: true }) => {
      const token = (await readGiven(file, line.terminal)).toString('utf8');
      const set = await (
        await line.connect()
      ).call('put /api/apps-and-books', {
        body: { token, ...(options.takeOver && { confirmTakeover: true }) },
      });
      line.show(options, set, () => appsLines(set));
    });
  jsonCommand(apps, 'show', 'shows the organization, when the token ends, and licenses left').action(
    async (options: JsonOption) => {
      const set = await (await line.connect()).call('get /api/apps-and-books');
      line.show(options, set, () => appsLines(set));
    },
  );
}

function appsLines(set: ResponseOf<'get /api/apps-and-books'>): string[] {
  const { organization, location, expiresAt, daysLeft, licenses, failure } = set;
  return [
    `Apps and Books: ${organization}, location ${location}`,
    `Token valid until ${moment(expiresAt)} (${plural(daysLeft, 'day')}).`,
    ...(licenses === null
      ? []
      : licenses.platforms.map(({ platform, total, available }) =>
          total === 0
            ? `Licenses of Okta Verify for ${platform}: none. Get them in Apple Business Manager.`
            : `Licenses of Okta Verify for ${platform}: ${available} of ${total} are left.`,
        )),
    ...(failure === null ? [] : [`${failure.title} ${failure.remedy}`]),
  ];
}

// `odette notification`: where people are told what needs them.
import { Option, type Command } from 'commander';
import { wholeNumber } from './blueprints.ts';
import { collect, confirm, jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { readSecret } from './given-file.ts';
import type { Body, OdetteClient, ResponseOf } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';

type Target = ResponseOf<'get /api/notification-targets'>['items'][number];
type TargetBody = Body<'post /api/notification-targets'>;
type Sent = ResponseOf<'get /api/notification-targets/{id}/notifications'>['items'][number];

interface RuleOptions extends JsonOption {
  readonly about?: 'installation' | 'devices';
  readonly minDevices?: number;
  readonly done?: boolean;
}
interface UrlOptions extends RuleOptions {
  readonly urlFile?: string;
}
interface EmailOptions extends RuleOptions {
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls';
  readonly from: string;
  readonly to: string[];
  readonly user?: string;
  readonly passwordFile?: string;
}

export function addNotifications(program: Command, line: CommandLine): void {
  const notification = program
    .command('notification')
    .description('webhooks, Slack channels and mailboxes that Odette notifies about what needs you');
  jsonCommand(notification, 'list', 'lists where notifications go and whether they arrive').action(
    async (options: JsonOption) => {
      const targets = await (await line.connect()).call('get /api/notification-targets');
      line.show(options, targets, () => listLines(targets.items));
    },
  );
  addUrlTarget(notification, line, 'webhook', 'adds a signed webhook, and prints its signing key, only once');
  addUrlTarget(notification, line, 'slack', 'adds a Slack incoming webhook or a compatible one');
  addEmailTarget(notification, line);
  jsonCommand(notification, 'test', 'sends a test and waits until it is delivered or rejected')
    .argument('<name>', 'name of the target, from `odette notification list`')
    .action((name: string, options: JsonOption) => sendTest(line, name, options));
  for (const isOn of [true, false])
    jsonCommand(notification, isOn ? 'on' : 'off', `turns a target ${isOn ? 'on' : 'off'}`)
      .argument('<name>', 'name of the target')
      .action(async (name: string, options: JsonOption) => {
        const odette = await line.connect();
        const target = await findTarget(odette, name);
        const saved = await odette.call('put /api/notification-targets/{id}', {
          params: { id: target.id },
          body: bodyOf(target, isOn),
        });
        line.show(options, saved, () => [`Turned ${isOn ? 'on' : 'off'}.`]);
      });
  jsonCommand(notification, 'delete', 'deletes a target and its undelivered notifications')
    .argument('<name>', 'name of the target')
    .option('--yes', 'do not ask for confirmation')
    .action(async (name: string, options: JsonOption & { readonly yes?: true }) => {
      const odette = await line.connect();
      const { id } = await findTarget(odette, name);
      if (!options.yes)
        await confirm(line.terminal, `Delete ${name}? Odette no longer sends anything there.`);
      await odette.call('delete /api/notification-targets/{id}', { params: { id } });
      line.show(options, { deleted: id }, () => ['Deleted.']);
    });
}

const withRules = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--about <topic>',
        'notify only about the installation, or only about causes that devices share',
      ).choices(['installation', 'devices']),
    )
    .option('--min-devices <n>', 'ignore causes that affect fewer devices (default: 1)', wholeNumber)
    .option('--no-done', 'do not notify when something is resolved');

const rulesOf = ({ about, minDevices = 1, done = true }: RuleOptions): TargetBody['rules'] => ({
  topics: about === undefined ? ['installation', 'devices'] : [about],
  minDevices,
  tellsWhenDone: done,
});

function addUrlTarget(
  parent: Command,
  line: CommandLine,
  kind: 'webhook' | 'slack',
  description: string,
): void {
  withRules(jsonCommand(parent, `add-${kind}`, description))
    .argument('<name>', 'name of the new target')
    .option('--url-file <file>', 'a file that contains the URL, which may be a secret; - is standard input')
    .action(async (name: string, options: UrlOptions) => {
      const url = await secretOf(line, options.urlFile, 'URL: ', '--url-file');
      const body: TargetBody = { kind, name, isOn: true, rules: rulesOf(options), url };
      const made = await (await line.connect()).call('post /api/notification-targets', { body });
      line.show(options, made, () => (made.signingKey === null ? ['Added.'] : [made.signingKey]));
    });
}

function addEmailTarget(parent: Command, line: CommandLine): void {
  withRules(jsonCommand(parent, 'add-email', 'adds mailboxes, reached through your mail server'))
    .argument('<name>', 'name of the new target')
    .requiredOption('--host <host>', 'the mail server')
    .option('--port <n>', 'its port', wholeNumber, 465)
    .addOption(
      new Option('--security <kind>', 'implicit TLS, or STARTTLS')
        .choices(['tls', 'starttls'])
        .default('tls'),
    )
    .requiredOption('--from <address>', 'the sender')
    .requiredOption('--to <address>', 'a recipient (may be repeated)', collect)
    .option('--user <name>', 'user name, if the server requires a password')
    .option('--password-file <file>', 'a file that contains the password; - is standard input')
    .action(async (name: string, options: EmailOptions) => {
      const { host, port, security, from, to, user } = options;
      const password =
        user === undefined
          ? undefined
          : await secretOf(line, options.passwordFile, 'Password: ', '--password-file');
      const body: TargetBody = {
        kind: 'email',
        name,
        isOn: true,
        rules: rulesOf(options),
        email: { host, port, security, from, to, username: user ?? null },
        ...(password !== undefined && { password }),
      };
      const made = await (await line.connect()).call('post /api/notification-targets', { body });
      line.show(options, made, () => ['Added.']);
    });
}

async function secretOf(
  { terminal }: CommandLine,
  file: string | undefined,
  question: string,
  option: string,
): Promise<string> {
  if (file !== undefined) return (await readSecret(file, terminal)).trim();
  if (terminal.isInteractive) return terminal.promptSecret(question);
  throw new CliError(EXIT.usage, `Name a file with ${option}.`);
}

const TEST_MS = 30_000;
const PAUSE_MS = 500;

/** The relay delivers it: the first attempt says whether the settings are right. */
async function sendTest(line: CommandLine, name: string, options: JsonOption): Promise<void> {
  const odette = await line.connect();
  const { id } = await findTarget(odette, name);
  const params = { id };
  const test = await odette.call('post /api/notification-targets/{id}/test', { params });
  const deadline = Date.now() + TEST_MS;
  for (;;) {
    const { items } = await odette.call('get /api/notification-targets/{id}/notifications', { params });
    const sent = items.find((each) => each.id === test.id);
    const isTried = sent !== undefined && (sent.outcome !== null || sent.failure !== null);
    if (!isTried && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    line.show(options, sent ?? { id: test.id }, () => [testText(sent)]);
    if (sent?.outcome !== 'delivered') line.exitCode = EXIT.failed;
    return;
  }
}

function testText(sent: Sent | undefined): string {
  if (sent?.outcome === 'delivered') return 'Delivered.';
  if (sent?.failure == null) return 'Not sent yet. Check that the relay process runs.';
  const { title, remedy } = sent.failure;
  return `${title} ${sent.failureDetail === null ? '' : `(${sent.failureDetail}) `}${remedy}`;
}

async function findTarget(odette: OdetteClient, name: string): Promise<Target> {
  const { items } = await odette.call('get /api/notification-targets');
  const found = items.find((each) => each.name === name || each.id === name);
  if (found === undefined)
    throw new CliError(EXIT.failed, `No target has the name ${name}.`, 'See: odette notification list');
  return found;
}

/** Secrets stay as they are. */
function bodyOf({ kind, name, rules, email }: Target, isOn: boolean): TargetBody {
  if (kind !== 'email') return { kind, name, rules, isOn };
  if (email === null) throw new CliError(EXIT.failed, 'The target has no mail server.');
  return { kind, name, rules, isOn, email };
}

function listLines(targets: readonly Target[]): Line[] {
  if (targets.length === 0)
    return ['No notifications yet. Add a target: odette notification add-webhook NAME'];
  return table(
    ['NAME', 'KIND', 'ADDRESS', 'STATE', 'LAST DELIVERED'],
    targets.map(({ name, kind, address, isOn, failure, waiting, deliveredAt }) => [
      name,
      kind,
      address,
      !isOn
        ? 'off'
        : failure === null
          ? 'on'
          : `${failure.code}, ${plural(waiting, 'notification waits', 'notifications wait')}`,
      moment(deliveredAt),
    ]),
  );
}

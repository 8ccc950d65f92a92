// `odette setup`: connects an Okta tenant from a file, and shows where a setup stands.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { collect, jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { openSetupFile } from './setup-file.ts';
import type { Step } from './setup-answers.ts';
import { setupLines } from './setup-lines.ts';
import { SetupWalk } from './setup-walk.ts';

/** Steps whose secret may have changed, or is to change. */
const AGAIN = [
  'credentials_kind',
  'credentials',
  'connect',
  'macos',
  'ios',
] as const satisfies readonly Step[];

interface ApplyOptions extends JsonOption {
  readonly file: string;
  readonly again?: (typeof AGAIN)[number][];
}

const EXAMPLE = `
The file is YAML or JSON. It never contains a secret, only where to find the secret:
  domain: acme.okta.com
  credentials:
    clientId: 0oa1example
    clientSecret: { env: OKTA_CLIENT_SECRET }    # or { file: PATH }, { file: PATH, field: NAME } of a JSON file, { prompt: true }
  confirm: [adaptive_mfa]                        # prerequisites that Odette cannot check and you know are met
  platforms:                                     # one or both; from Okta's Device integrations
    macOS:
      scepUrl: https://…
      challengeUrl: https://…
      username: …
      password: { file: challenge-password.txt }
    iOS:
      secretKey: { prompt: true }
      providerName: Odette

If the file refers to a secret that is not there yet, the command stops at that step and says what to do in Okta (exit code 4).
With \`kind: api_services_app\` under credentials, Odette uses your own API Services app instead of a client secret: the first run
shows the public key to paste into Okta, the second run continues. \`--again credentials_kind\` changes to a new key in the same
way; Odette uses the old key until the setup is complete.`;

export function addSetup(program: Command, line: CommandLine): void {
  const setup = program.command('setup').description('connects an Okta tenant, or changes an integration');
  const again = new Option(
    '--again <step>',
    'answer this step again because its secret changed in Okta, or will change (may be repeated)',
  );
  jsonCommand(
    setup,
    'apply',
    'answers the setup wizard from a file; if you run it again, it continues where it stopped or applies what changed',
  )
    .requiredOption('-f, --file <file>', 'the file with the answers, described below; - is standard input')
    .addOption(
      again.choices(AGAIN).argParser((value: string, before: string[] | undefined) => {
        if (!(AGAIN as readonly string[]).includes(value))
          throw new InvalidArgumentError(`It must be one of ${AGAIN.join(', ')}.`);
        return collect(value, before);
      }),
    )
    .addHelpText('after', EXAMPLE)
    .action(async (options: ApplyOptions) => {
      const file = await openSetupFile(options.file, line.terminal, line.environment);
      const odette = await line.connect();
      const walked = await new SetupWalk(odette, file, line).apply(options.again ?? []);
      const { integrationId } = walked;
      const integration = await odette.call('get /api/integrations/{id}', { params: { id: integrationId } });
      line.show(options, { integration, changed: walked.setup !== undefined }, () => [
        walked.setup
          ? `${integration.host} is connected.`
          : `${integration.host}: everything matches the file.`,
        'Next: odette library-item save --blueprint NAME --device-trust on',
      ]);
    });
  jsonCommand(
    setup,
    'show',
    'shows setups that are not finished: the step they wait at, and what to do in Okta',
  ).action(async (options: JsonOption) => {
    const answer = await (await line.connect()).call('get /api/setups', { query: { status: 'open' } });
    line.show(options, answer, () =>
      answer.items.length === 0
        ? ['No setup is open. Start one: odette setup apply -f FILE']
        : answer.items.flatMap((one) => [...setupLines(one), '']),
    );
  });
  jsonCommand(setup, 'abandon', 'abandons a setup that is not finished; `apply` then starts a new one')
    .argument('<id>', 'its id, from `odette setup show`')
    .action(async (id: string, options: JsonOption) => {
      await (await line.connect()).call('delete /api/setups/{id}', { params: { id } });
      line.show(options, { abandoned: id }, () => ['Abandoned.']);
    });
}

// `odette organization`: name and logo, as users see them when they enroll.
import type { Command } from 'commander';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { readGiven } from './given-file.ts';
import type { ResponseOf } from './odette-client.ts';

type Organization = ResponseOf<'get /api/organization'>;

interface SetOptions extends JsonOption {
  /** false: none any more. */
  readonly name?: string | false;
  readonly logo?: string | false;
}

export function addOrganization(program: Command, line: CommandLine): void {
  const organization = program
    .command('organization')
    .description('name and logo of your organization, as users see them when they enroll');
  jsonCommand(organization, 'show', 'shows the name, and whether there is a logo').action(
    async (options: JsonOption) => {
      const found = await (await line.connect()).call('get /api/organization');
      line.show(options, found, () => linesOf(found));
    },
  );
  jsonCommand(organization, 'set', 'changes only what you specify')
    .option('--name <name>', 'name of the organization')
    .option('--no-name', 'no name')
    .option('--logo <file>', 'a PNG of at most 100 KB and 1,024 pixels per side; - is standard input')
    .option('--no-logo', 'no logo')
    .action(async ({ name, logo, ...options }: SetOptions) => {
      if (name === undefined && logo === undefined)
        throw new CliError(EXIT.usage, 'Nothing to change.', 'Use --name, --no-name, --logo or --no-logo.');
      const odette = await line.connect();
      const before = await odette.call('get /api/organization');
      const saved = await odette.call('put /api/organization', {
        body: {
          name: name === undefined ? before.name : name || null,
          ...(logo === false && { logo: null }),
          ...(typeof logo === 'string' && {
            logo: (await readGiven(logo, line.terminal)).toString('base64'),
          }),
        },
      });
      line.show(options, saved, () => linesOf(saved));
    });
}

const linesOf = ({ name, logoHash }: Organization): string[] => [
  `Name: ${name ?? 'none, users see "Your organization"'}`,
  `Logo: ${logoHash === null ? 'none' : `PNG, SHA-256 ${logoHash}`}`,
];

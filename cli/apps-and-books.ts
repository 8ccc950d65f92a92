// `odette apps-and-books`: the token that gives each device its license of Okta Verify.
import type { Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { readGiven } from './given-file.ts';
import type { ResponseOf } from './odette-client.ts';
import { moment } from './terminal.ts';

export function addAppsAndBooks(program: Command, line: CommandLine): void {
  const apps = program
    .command('apps-and-books')
    .description('the Apps and Books token, which gives each device its Okta Verify license');
  jsonCommand(apps, 'set', 'sets or replaces the token')
    .argument(
      '<file>',
      'the server token (.vpptoken) of the location, as downloaded from Apple Business Manager; - is standard input',
    )
    .option('--take-over', 'take over the location from another MDM server, which then loses its licenses')
    .action(async (file: string, options: JsonOption & { readonly takeOver?: true }) => {
      const token = (await readGiven(file, line.terminal)).toString('utf8');
      const set = await (
        await line.connect()
      ).call('put /api/apps-and-books', {
        body: { token, ...(options.takeOver && { confirmTakeover: true }) },
      });
      line.show(options, set, () => appsLines(set));
    });
  jsonCommand(apps, 'show', 'shows the organization, when the token expires, and the licenses left').action(
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
            ? `Okta Verify licenses for ${platform}: none. Get them in Apple Business Manager.`
            : `Okta Verify licenses for ${platform}: ${available} of ${total} left.`,
        )),
    ...(failure === null ? [] : [`${failure.title} ${failure.remedy}`]),
  ];
}

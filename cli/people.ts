// `odette person`: who may sign in, and the second factor of local people.
import { Argument, type Command } from 'commander';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

export function addPeople(program: Command, line: CommandLine): void {
  const person = program.command('person').description('people who can sign in');
  jsonCommand(person, 'list', 'lists people and whether they have a second factor').action(
    async (options: JsonOption) => {
      const response = await (await line.connect()).call('get /api/people');
      line.show(options, response, () =>
        table(
          ['NAME', 'ROLE', 'SIGNS IN WITH', 'SECOND FACTOR', 'DISABLED'],
          response.items.map((one) => [
            one.name,
            one.role,
            one.isLocal ? 'local password' : 'identity provider',
            one.isLocal ? (one.hasSecondFactor ? 'on' : 'off') : 'identity provider',
            one.disabledAt === null ? '' : moment(one.disabledAt),
          ]),
        ),
      );
    },
  );
  jsonCommand(
    person,
    'reset-second-factor',
    'turns off the second factor of a person who is locked out, and ends their sessions',
  )
    .argument('<name>', 'as `odette person list` shows it')
    .action(async (name: string, options: JsonOption) => {
      const odette = await line.connect();
      const { items } = await odette.call('get /api/people');
      const found = items.find((one) => one.name === name);
      if (!found)
        throw new CliError(EXIT.failed, `No person has the name ${name}.`, 'See `odette person list`.');
      await odette.call('delete /api/people/{id}/second-factor', { params: { id: found.id } });
      line.show(options, { reset: found.id }, () => [
        `${name} signs in with the password alone until a new second factor is set up.`,
      ]);
    });
  jsonCommand(
    person,
    'require-second-factor',
    'requires all local people to use a second factor; those without one must set it up before they can do anything else',
  )
    .addArgument(new Argument('<on|off>').choices(['on', 'off']))
    .action(async (wanted: 'on' | 'off', options: JsonOption) => {
      const body = { isSecondFactorRequired: wanted === 'on' };
      const policy = await (await line.connect()).call('put /api/sign-in-policy', { body });
      line.show(options, policy, () => [
        policy.isSecondFactorRequired
          ? 'Odette now requires a second factor.'
          : 'Odette no longer requires a second factor.',
      ]);
    });
}

// `odette token`: API tokens for programs and for command lines on other machines.
import { Option, type Command } from 'commander';
import { wholeNumber } from './blueprints.ts';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

interface CreateOptions extends JsonOption {
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly days?: number;
}

export function addTokens(program: Command, line: CommandLine): void {
  const token = program
    .command('token')
    .description('API tokens, for programs and for `odette` on other machines');
  jsonCommand(token, 'create', 'creates a token and prints it, only once')
    .argument('<name>', 'who or what uses it; shown in the activity log')
    .addOption(
      new Option('--role <role>', 'what it may do: read; also start and replay; everything')
        .choices(['viewer', 'operator', 'admin'])
        .default('viewer'),
    )
    .option('--days <n>', 'days until it expires (90)', wholeNumber)
    .action(async (name: string, { json, role, days }: CreateOptions) => {
      const body = { name, role, ...(days !== undefined && { expiresInDays: days }) };
      const made = await (await line.connect()).call('post /api/tokens', { body });
      line.show({ ...(json && { json }) }, made, () => [made.token]);
    });
  jsonCommand(token, 'list', 'lists tokens, without their values').action(async (options: JsonOption) => {
    const response = await (await line.connect()).call('get /api/tokens');
    line.show(options, response, () =>
      table(
        ['NAME', 'ROLE', 'VALID UNTIL', 'LAST USED', 'ID'],
        response.items.map((one) => [
          one.name,
          one.role,
          one.revokedAt === null ? moment(one.expiresAt) : 'revoked',
          moment(one.lastUsedAt),
          one.id,
        ]),
      ),
    );
  });
  jsonCommand(token, 'revoke', 'revokes a token at once')
    .argument('<id>', 'its id, from `odette token list`')
    .action(async (id: string, options: JsonOption) => {
      await (await line.connect()).call('delete /api/tokens/{id}', { params: { id } });
      line.show(options, { revoked: id }, () => ['Revoked.']);
    });
}

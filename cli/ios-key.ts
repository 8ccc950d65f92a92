// `odette ios-key`: which devices have read the secret key of Okta's iOS configuration.
import type { Command } from 'commander';
import { jsonCommand, plural, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration } from './integration-reference.ts';
import { table } from './table.ts';
import { moment } from './terminal.ts';

interface ReaderOptions extends JsonOption {
  readonly integration?: string;
  readonly inDoubt?: true;
}

const DOUBTS = {
  deleted: 'deleted in Odette',
  left: 'left',
  unreachable: 'unreachable',
  out_of_scope: 'out of scope',
} as const;

export function addIosKey(program: Command, line: CommandLine): void {
  const key = program
    .command('ios-key')
    .description('the secret key with which iPhones and iPads prove to Okta that they are managed');
  jsonCommand(
    key,
    'readers',
    'lists the devices that have read the current key, with the reason for those in doubt',
  )
    .option('--integration <name>', 'the Okta tenant: its name or host; needed if several are connected')
    .option('--in-doubt', 'only devices that left, are unreachable, out of scope or deleted')
    .action(async (options: ReaderOptions) => {
      const odette = await line.connect();
      const { id, host } = await findIntegration(odette, options.integration);
      const query = { doubt: options.inDoubt ? ('only' as const) : ('any' as const), limit: 500 };
      const at = { params: { id } };
      const first = await odette.call('get /api/integrations/{id}/ios-key-readers', { ...at, query });
      const items = [...first.items];
      for (let { next } = first; next !== null;) {
        const more = await odette.call('get /api/integrations/{id}/ios-key-readers', {
          ...at,
          query: { ...query, after: next },
        });
        items.push(...more.items);
        next = more.next;
      }
      const { readers, doubtful } = first;
      line.show(options, { readers, doubtful, items }, () => [
        `${plural(readers, 'device')} read the key, ${doubtful} in doubt.`,
        ...(items.length === 0
          ? []
          : table(
              ['DEVICE', 'SERIAL NUMBER', 'LAST READ', 'IN DOUBT'],
              items.map((one) => [
                one.name ?? one.udid,
                one.serialNumber ?? '–',
                moment(one.lastAt),
                one.doubt === null ? '' : DOUBTS[one.doubt],
              ]),
            )),
        ...(doubtful === 0
          ? []
          : [
              `If someone else may have one of them: reset the key in Okta, then odette setup apply -f FILE --again ios (${host}).`,
            ]),
      ]);
    });
}

// Checks at start that Temporal knows Odette's search attributes: without them every start of a workflow would be refused.
import type { Client } from '@temporalio/client';
import { searchAttributes } from '../workflows/messages.ts';

const CLI_TYPES = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;

/** The command that adds what is missing, or undefined when nothing is. */
export async function missingSearchAttributes(client: Client): Promise<string | undefined> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !(name in customAttributes));
  if (missing.length === 0) return undefined;
  const flags = missing.map(({ name, type }) => `--name ${name} --type ${CLI_TYPES[type]}`);
  return `temporal operator search-attribute create --namespace ${namespace} ${flags.join(' ')}`;
}

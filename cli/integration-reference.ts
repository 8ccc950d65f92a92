// How an integration is named on the command line: its name, host, custom domain or id; not at all where there is only one.
import { CliError, EXIT } from './exits.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';

export type Integration = ResponseOf<'get /api/integrations'>['items'][number];

/** @throws CliError when none fits, or several do */
export async function findIntegration(odette: OdetteClient, text: string | undefined): Promise<Integration> {
  const { items } = await odette.call('get /api/integrations');
  const fits = items.filter(
    ({ id, name, host, customDomain }) =>
      text === undefined || [id, name, host, customDomain].some((one) => one === text),
  );
  const [only, another] = fits;
  if (only && !another) return only;
  const names = items.map(({ name, host }) => (name === host ? host : `${name} (${host})`)).join(', ');
  if (items.length === 0)
    throw new CliError(EXIT.failed, 'No Okta tenant is connected.', 'odette setup apply -f FILE');
  throw new CliError(
    text === undefined ? EXIT.usage : EXIT.failed,
    text === undefined ? 'Several Okta tenants are connected.' : `There is no integration ${text}.`,
    `Name one with --integration: ${names}.`,
  );
}

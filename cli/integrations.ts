// `odette integration`: the connected Okta tenants, whether they answer, and what their newest check found.
import { CHANNEL_WORDS } from '../domain/channel-words.ts';
import type { Command } from 'commander';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { findIntegration, type Integration } from './integration-reference.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';

export function addIntegrations(program: Command, line: CommandLine): void {
  const integration = program.command('integration').description('the connected Okta tenants');
  jsonCommand(integration, 'list', 'lists the tenants and whether Odette can reach them').action(
    async (options: JsonOption) => {
      const integrations = await (await line.connect()).call('get /api/integrations');
      line.show(options, integrations, () => listLines(integrations.items));
    },
  );
  jsonCommand(integration, 'show', 'shows one tenant with its platforms, connections and newest check')
    .argument('[integration]', 'its name, host or id; needed if several are connected')
    .action(async (name: string | undefined, options: JsonOption) => {
      const shown = await findIntegration(await line.connect(), name);
      line.show(options, shown, () => integrationLines(shown));
    });
}

function listLines(items: readonly Integration[]): Line[] {
  if (items.length === 0) return ['No Okta tenant is connected: odette setup apply -f FILE'];
  return table(
    ['NAME', 'HOST', 'PLATFORMS', 'STATE'],
    items.map((each) => [each.name, each.host, platformsOf(each), stateOf(each)]),
  );
}

const platformsOf = ({ macOS, iOS, channel }: Integration): string =>
  channel === 'observe_only'
    ? 'observed only'
    : [...(macOS === null ? [] : ['macOS']), ...(iOS === null ? [] : ['iOS'])].join(', ') || 'none';

function stateOf({ health, haltedReissues, check }: Integration): string {
  const refused = health.filter(({ ok }) => !ok).map(({ connection }) => connection);
  if (refused.length > 0) return `${refused.join(', ')} failed`;
  if (haltedReissues.length > 0) return 're-issues are halted';
  const isMet = (check?.items ?? []).every(({ result }) => result !== 'failed');
  return isMet ? 'ok' : 'a prerequisite is not met';
}

function integrationLines(shown: Integration): string[] {
  const { name, host, customDomain, clientId, health, check, haltedReissues, enrollmentLink } = shown;
  return [
    `${name} (${host}${customDomain === null ? '' : `, ${customDomain}`})`,
    `Channel:          ${CHANNEL_WORDS[shown.channel].name}`,
    `Platforms:        ${platformsOf(shown)}`,
    `Client ID:        ${clientId}`,
    ...(enrollmentLink === null ? [] : [`Enrollment link:  ${enrollmentLink}`]),
    '',
    ...health.map(
      ({ connection, failure, at }) =>
        `${connection}: ${failure === null ? 'ok' : `${failure.title} ${failure.remedy} (${failure.code})`} (${moment(at)})`,
    ),
    ...haltedReissues.map(({ text }) => `! ${text}`),
    ...(check === null
      ? ['Prerequisites: not checked yet.']
      : [
          `Prerequisites, checked ${moment(check.at)}:`,
          ...check.items.flatMap(({ title, result, remedy }) => [
            `  ${RESULTS[result]} ${title}`,
            ...(result === 'failed' ? [`      ${remedy}`] : []),
          ]),
        ]),
  ];
}

const RESULTS = { passed: '✓', failed: '✗', not_checked: '?' } as const;

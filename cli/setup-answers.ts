// The answers of a setup file, step by step, and which of them differ from what Odette was told already.
import type { OpenSetupFile } from './setup-file.ts';
import type { ResponseOf, Body } from './odette-client.ts';

export type Setup = ResponseOf<'get /api/setups/{id}'>;
export type Integration = ResponseOf<'get /api/integrations'>['items'][number];
export type StepAnswer = Body<'post /api/setups/{id}/answers'>;
export type Step = Setup['step'];
/** What Odette tells again of what it was told: no secrets. */
type Told = Setup['answers'];

/** Undefined: the file does not say it. @param told what this setup was told before */
export async function answerOf(file: OpenSetupFile, step: Step, told: Told): Promise<StepAnswer | undefined> {
  const { content, valueOf } = file;
  const { credentials, platforms } = content;
  switch (step) {
    case 'okta_domain':
      return { step, domain: await valueOf(content.domain, 'domain') };
    case 'credentials_kind':
      return { step, credentialsKind: credentials.kind };
    case 'credentials': {
      const { clientId, clientSecret, kind } = credentials;
      const isComplete = kind === 'api_services_app' || clientSecret !== undefined;
      if (clientId === undefined || !isComplete) return undefined;
      return {
        step,
        clientId: await valueOf(clientId, 'credentials.clientId'),
        ...(clientSecret && { clientSecret: await valueOf(clientSecret, 'credentials.clientSecret') }),
      };
    }
    case 'connect':
      return { step, confirmed: content.confirm };
    case 'platforms':
      // A platform that is in use already stays, also when the file does not name it.
      return { step, platforms: [...new Set([...(told.platforms ?? []), ...chosen(file)])] };
    case 'macos':
      return (
        platforms.macOS && {
          step,
          scepUrl: await valueOf(platforms.macOS.scepUrl, 'platforms.macOS.scepUrl'),
          challengeUrl: await valueOf(platforms.macOS.challengeUrl, 'platforms.macOS.challengeUrl'),
          username: await valueOf(platforms.macOS.username, 'platforms.macOS.username'),
          password: await valueOf(platforms.macOS.password, 'platforms.macOS.password'),
        }
      );
    case 'ios':
      return (
        platforms.iOS && {
          step,
          secretKey: await valueOf(platforms.iOS.secretKey, 'platforms.iOS.secretKey'),
          providerName: await valueOf(platforms.iOS.providerName, 'platforms.iOS.providerName'),
        }
      );
    case 'get_started':
      return { step, channel: content.channel };
    case 'okta_tasks':
    case 'complete':
      return { step };
  }
}

const chosen = ({ content: { platforms } }: OpenSetupFile): ('macOS' | 'iOS')[] =>
  (['macOS', 'iOS'] as const).filter((platform) => platforms[platform] !== undefined);

/**
 * Steps that were answered otherwise than the file says. Secrets cannot be compared: a new one has to be named (`--again`).
 * What is only known by a prompt is taken as unchanged.
 */
export async function changedSteps(file: OpenSetupFile, told: Told): Promise<Step[]> {
  const { content, valueOf } = file;
  const { credentials, platforms } = content;
  const differs = async (wanted: Parameters<typeof valueOf>[0] | undefined, known: string | undefined) => {
    if (wanted === undefined || known === undefined) return false;
    if (typeof wanted !== 'string' && 'prompt' in wanted) return false;
    return (await valueOf(wanted, 'the file')) !== known;
  };
  const { macOS, iOS } = platforms;
  const changed: Step[] = [];
  if (told.channel !== undefined && told.channel !== content.channel) changed.push('get_started');
  const domain = await valueOf(content.domain, 'domain');
  if (told.domain !== undefined && hostOf(domain) !== hostOf(told.domain)) changed.push('okta_domain');
  const { credentialsKind, clientId } = told;
  if (credentialsKind !== undefined && credentialsKind !== credentials.kind) changed.push('credentials_kind');
  if (await differs(credentials.clientId, clientId)) changed.push('credentials');
  const known = told.platforms;
  if (known !== undefined && chosen(file).some((platform) => !known.includes(platform)))
    changed.push('platforms');
  const isMacChanged = await Promise.all([
    differs(macOS?.scepUrl, told.scepUrl),
    differs(macOS?.challengeUrl, told.challengeUrl),
    differs(macOS?.username, told.username),
  ]);
  if (isMacChanged.includes(true)) changed.push('macos');
  if (await differs(iOS?.providerName, told.providerName)) changed.push('ios');
  return changed;
}

/** An integration in the words of the wizard. */
export function toldBy({ host, channel, credentialsKind, clientId, macOS, iOS }: Integration): Told {
  return {
    channel,
    domain: host,
    credentialsKind,
    clientId,
    platforms: [...(macOS ? (['macOS'] as const) : []), ...(iOS ? (['iOS'] as const) : [])],
    ...(macOS && { scepUrl: macOS.scepUrl, challengeUrl: macOS.challengeUrl, username: macOS.username }),
    ...(iOS && { providerName: iOS.providerName }),
  };
}

/** As people paste it: with scheme and path, or the address of Okta's admin console. Odette itself looks more closely. */
export const hostOf = (domain: string): string =>
  domain
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/^([^.]+)-admin\.(okta|oktapreview|okta-emea|okta-gov)\./, '$1.$2.');

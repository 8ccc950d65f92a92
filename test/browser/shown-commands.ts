// The commands that the console shows beside what it does: read off the page, and given to those who must understand them.
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import { contract } from '../../api/contract/contract.ts';
import { EXIT } from '../../cli/exits.ts';
import { runOdette } from '../harness/command-line.ts';
import { CONTRACT_TOKEN } from '../harness/contract-server.ts';

const OWN_FILE = fileURLToPath(import.meta.url);
/** How the console writes a secret. */
const MASKED = '…';

/** Each stands before its copy button. */
export const commandsOn = (page: Page): Promise<string[]> =>
  page.locator('xpath=//button[@aria-label="Copy command"]/preceding-sibling::*[1]').allTextContents();

/**
 * Undefined: it is understood. Else what is wrong with it.
 * @param url of a server that answers at once, whatever it says: what counts is how `odette` reads its own words
 */
export async function complaintAbout(command: string, url: string): Promise<string | undefined> {
  // FILE stands for one of the admin's own: any that can be read will do here.
  const [program, ...words] = wordsOf(command.replace(/^npx /, '')).map((word) =>
    word === 'FILE' ? OWN_FILE : word,
  );
  if (program === 'odette') {
    const environment = { ODETTE_URL: url, ODETTE_TOKEN: CONTRACT_TOKEN };
    const { code, told } = await runOdette(words, { environment });
    return code === EXIT.usage ? `${command}: ${told}` : undefined;
  }
  if (program === 'curl') return curlComplaint(command, words);
  return `${command}: neither odette nor curl`;
}

/** As a POSIX shell splits what the console writes: bare words, '…' and "…". */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"|\\(.)/g,
      (_whole, one?: string, two?: string, escaped?: string) => one ?? two ?? escaped ?? '',
    ),
  );
}

function curlComplaint(command: string, words: readonly string[]): string | undefined {
  const after = (flag: string) => {
    const at = words.indexOf(flag);
    return at < 0 ? undefined : words[at + 1];
  };
  const method = (after('-X') ?? 'GET').toLowerCase();
  const address = words.find((word) => word.startsWith('$ODETTE_URL'))?.slice('$ODETTE_URL'.length);
  if (address === undefined) return `${command}: no address`;
  const { pathname } = new URL(address, 'http://odette');
  const shape = (Object.values(contract) as Endpoint[]).find(
    (one) =>
      one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  if (!shape) return `${command}: the API has no ${method} ${pathname}`;
  const body = after('-d');
  if (body === undefined) return undefined;
  const given: unknown = JSON.parse(body.replaceAll(MASKED, 'a secret of some length'));
  const read = shape.body?.safeParse(given);
  return read?.success ? undefined : `${command}: ${read?.error.message ?? 'the API takes no body there'}`;
}

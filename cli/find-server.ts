// Finds the running Odette and its token: by ODETTE_URL and ODETTE_TOKEN(_FILE), else through the data folder on this machine.
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CliError, EXIT } from './exits.ts';

export interface Server {
  readonly url: string;
  readonly token: string;
}

interface Local {
  readonly folder: string;
  readonly url: string;
  readonly tokenFile: string;
  readonly isRunning: boolean;
}

/** @throws CliError nothing runs, several run, or the token cannot be read */
export async function findServer(environment: NodeJS.ProcessEnv): Promise<Server> {
  const given = environment['ODETTE_URL'];
  if (!given) {
    const local = await findLocal(environment);
    return { url: local.url, token: await ownToken(environment, local) };
  }
  const url = withoutEnd(given);
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol))
    throw new CliError(EXIT.usage, 'ODETTE_URL is not a URL that begins with https:// or http://.');
  const token = await givenToken(environment);
  if (token !== undefined) return { url, token };
  // This machine's own token goes to this machine's own server only.
  const local = (await locals(environment)).find((one) => one.url === url);
  if (local) return { url, token: await readToken(local.tokenFile) };
  throw new CliError(
    EXIT.usage,
    `No token for ${url}.`,
    'Set ODETTE_TOKEN, or ODETTE_TOKEN_FILE to a file that contains it. An admin creates one: odette token create NAME',
  );
}

const ownToken = async (environment: NodeJS.ProcessEnv, local: Local): Promise<string> =>
  (await givenToken(environment)) ?? (await readToken(local.tokenFile));

async function givenToken(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (environment['ODETTE_TOKEN']) return environment['ODETTE_TOKEN'].trim();
  const file = environment['ODETTE_TOKEN_FILE'];
  return file ? readToken(file) : undefined;
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      `Cannot read the token in ${file} (${codeOf(error)}).`,
      'Run this as the user who runs Odette, or set ODETTE_TOKEN_FILE to a token of your own.',
    );
  }
}

async function findLocal(environment: NodeJS.ProcessEnv): Promise<Local> {
  const known = await locals(environment);
  const running = known.filter((local) => local.isRunning);
  const [only, another] = running;
  if (another)
    throw new CliError(
      EXIT.usage,
      `Several Odette servers run on this machine: ${running.map(({ folder }) => folder).join(', ')}.`,
      'Set ODETTE_DATA_DIR to the data folder of the server to use.',
    );
  if (only) return only;
  const looked = folders(environment).join(', ');
  // Whoever names a folder means the Odette of that folder and no other.
  if (environment['ODETTE_DATA_DIR'])
    throw new CliError(
      EXIT.notReady,
      `No running Odette uses the data folder ${looked} (ODETTE_DATA_DIR).`,
      [
        'Start it with that folder: `odette up`, or `odette up --no-sandbox` for a real installation.',
        'For an API process without `odette up`, also set its ODETTE_ADMIN_LISTEN;',
        'for an Odette on another machine, set ODETTE_URL and ODETTE_TOKEN_FILE.',
      ].join('\n    '),
    );
  throw new CliError(
    EXIT.notReady,
    known.length === 0
      ? `Found no Odette on this machine (looked in ${looked}).`
      : `Odette is not running (its data: ${known.map(({ folder }) => folder).join(', ')}).`,
    'Start it with `npm start` or `odette up`; for an Odette on another machine, set ODETTE_URL and ODETTE_TOKEN_FILE.',
  );
}

async function locals(environment: NodeJS.ProcessEnv): Promise<Local[]> {
  const found = await Promise.all(folders(environment).map((folder) => readLocal(folder, environment)));
  return found.filter((local) => local !== undefined);
}

/** Where `odette up` keeps its data when it is not told otherwise, of a real installation and of the sandbox. */
function folders(environment: NodeJS.ProcessEnv): string[] {
  const given = environment['ODETTE_DATA_DIR'];
  if (given) return [path.resolve(given)];
  const state = environment['XDG_STATE_HOME'] ?? path.join(os.homedir(), '.local', 'state');
  const roots = process.getuid?.() === 0 ? ['/var/lib'] : [state, '/var/lib'];
  return roots.flatMap((root) => [path.join(root, 'odette'), path.join(root, 'odette-sandbox')]);
}

async function readLocal(folder: string, environment: NodeJS.ProcessEnv): Promise<Local | undefined> {
  try {
    const runtime = JSON.parse(await readFile(path.join(folder, 'runtime.json'), 'utf8')) as {
      api: string;
      tokenFile: string;
      pid: number;
    };
    const { api, tokenFile, pid } = runtime;
    return { folder, url: withoutEnd(api), tokenFile, isRunning: isRunning(pid) };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return undefined;
  }
  // Without a launcher (a container, a service of its own) the API process keeps the token in its data folder. Where it listens
  // must be said: at the default address another installation may answer, and this token is not for it.
  const listen = environment['ODETTE_ADMIN_LISTEN'];
  if (!environment['ODETTE_DATA_DIR'] || !listen) return undefined;
  const tokenFile = path.join(folder, 'cli-token');
  const isThere = await readFile(tokenFile).then(
    () => true,
    () => false,
  );
  const reachable = listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
  return isThere ? { folder, url: `http://${reachable}`, tokenFile, isRunning: true } : undefined;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

const withoutEnd = (url: string): string => url.replace(/\/+$/, '');

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';

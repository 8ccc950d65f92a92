// What the launcher tells people: where everything is, how to sign in, and what real devices still need.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { offerFirstRun } from '../api/admin/first-start.ts';
import { connectDatabase } from '../adapters/store/base/database.ts';
import { ConfigError, type Config } from './config.ts';
import type { SandboxReady } from './launch-sandbox.ts';

type Say = (line: string) => void;

/** The link that creates the first admin; undefined when one exists. */
export async function signInLink(config: Config): Promise<string | undefined> {
  if (config.databaseUrl === undefined) throw new ConfigError('DATABASE_URL is not set.');
  const database = connectDatabase(config.databaseUrl, { max: 1, applicationName: 'odette-launcher' });
  try {
    const token = await offerFirstRun(database);
    return token === undefined ? undefined : `${config.consoleUrl}/first-run#${token}`;
  } finally {
    await database.end();
  }
}

/** What people get as text, for programs. */
export interface Places {
  readonly console: string;
  readonly api: string;
  /** Null until ODETTE_PUBLIC_URL is set. */
  readonly enrollmentLink: string | null;
  readonly temporalUi: string | null;
  readonly sandbox: Pick<SandboxReady, 'management' | 'tenants'> | null;
  readonly dataFolder: string;
  /** Creates the first admin, once; null when one exists. */
  readonly signIn: string | null;
}

export function placesOf(options: {
  readonly config: Config;
  readonly signIn: string | undefined;
  readonly world: SandboxReady | undefined;
}): Places {
  const { config, signIn, world } = options;
  return {
    console: config.consoleUrl,
    api: `${config.consoleUrl}/openapi.json`,
    enrollmentLink: config.publicUrl === undefined ? null : `${config.publicUrl}/enroll`,
    temporalUi: config.temporalUi?.url ?? null,
    sandbox: world ? { management: world.management, tenants: world.tenants } : null,
    dataFolder: config.dataDir,
    signIn: signIn ?? null,
  };
}

export function sayWhereEverythingIs(places: Places, say: Say): void {
  const { sandbox, signIn } = places;
  say('');
  say(`  Console and API   ${places.console}  (API: ${places.api})`);
  if (places.enrollmentLink !== null) say(`  Devices           ${places.enrollmentLink}`);
  if (places.temporalUi !== null) say(`  Temporal UI       ${places.temporalUi}`);
  if (sandbox) {
    say(`  Sandbox           ${sandbox.management}`);
    for (const tenant of sandbox.tenants)
      say(`  Pretend Okta ${tenant.name}  ${tenant.url}  (admin console: ${tenant.pages})`);
  }
  say(`  Data              ${places.dataFolder}  (logs in logs/)`);
  say(
    signIn === null
      ? `  Sign in           ${places.console} with your account; \`npx odette status\` uses this machine's own token.`
      : `  Sign in           ${signIn}  (creates the first admin; works once)`,
  );
  say('');
}

const Needs = z.object({
  needs: z.array(z.object({ text: z.string(), command: z.string(), isRequired: z.boolean() })),
});

/** The same list as `odette status` gives. */
export async function sayWhatIsNeeded(options: {
  readonly api: string;
  readonly tokenFile: string;
  readonly say: Say;
}): Promise<void> {
  const token = (await readFile(options.tokenFile, 'utf8')).trim();
  const response = await fetch(`${options.api}/api/status`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { needs } = Needs.parse(await response.json());
  if (needs.length > 0) options.say('  What real devices still need:');
  for (const need of needs) {
    options.say(`  - ${need.text}`);
    options.say(`      ${need.command}`);
  }
}

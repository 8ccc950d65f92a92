// The file of `odette setup apply`: the wizard's answers as YAML or JSON. Secrets stand elsewhere; the file only says where.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { SETUP_CHANNELS } from '../domain/setup-wizard.ts';
import { CliError, EXIT } from './exits.ts';
import { readGiven } from './given-file.ts';
import type { Body } from './odette-client.ts';
import type { Terminal } from './terminal.ts';

const Reference = z.union([
  z.strictObject({
    file: z.string().min(1),
    /** Of a file that holds a JSON object. */
    field: z.string().min(1).optional(),
  }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ prompt: z.literal(true) }),
]);
type Reference = z.infer<typeof Reference>;

const IS_SECRET =
  'is a secret: give its place, { file: PATH }, { file: PATH, field: NAME } for JSON, { env: NAME } or { prompt: true }';
const secret = z.unknown().transform((value, context): Reference => {
  const read = Reference.safeParse(value);
  if (read.success) return read.data;
  context.addIssue({ code: 'custom', message: IS_SECRET });
  return z.NEVER;
});
/** Written out, or where it is. */
const text = z.union([z.string().min(1), Reference], {
  error: 'is neither a text nor a place: { file: PATH }, { env: NAME } or { prompt: true }',
});
type Text = z.infer<typeof text>;

type Prerequisite = NonNullable<
  Extract<Body<'post /api/setups/{id}/answers'>, { step: 'connect' }>['confirmed']
>[number];

const PLATFORMS_WANTED = 'name macOS, iOS or both';

const SetupFile = z
  .strictObject({
    /** How Odette reaches the devices (`odette channel kinds`). A NanoMDM or Fleet server is added by `odette channel create`. */
    channel: z.enum(SETUP_CHANNELS).default('built_in'),
    domain: text,
    credentials: z.strictObject({
      kind: z.enum(['api_service_integration', 'api_services_app']).default('api_service_integration'),
      clientId: text.optional(),
      /** Of an API service integration. */
      clientSecret: secret.optional(),
    }),
    /** Prerequisites that Odette cannot check and that you say are so. */
    confirm: z.array(z.string().transform((id) => id as Prerequisite)).default([]),
    platforms: z
      .strictObject({
        macOS: z
          .strictObject({ scepUrl: text, challengeUrl: text, username: text, password: secret })
          .optional(),
        iOS: z.strictObject({ secretKey: secret, providerName: text.default('Odette') }).optional(),
      })
      .default({}),
  })
  .refine(
    ({ channel, platforms: { macOS, iOS } }) =>
      channel === 'observe_only' || macOS !== undefined || iOS !== undefined,
    { path: ['platforms'], error: PLATFORMS_WANTED },
  );
type SetupFile = z.infer<typeof SetupFile>;

export interface OpenSetupFile {
  readonly content: SetupFile;
  /** @throws CliError it is not where the file says: unfinished if it may still come there */
  valueOf(value: Text, what: string): Promise<string>;
}

/** @throws CliError what is wrong, by field; values are not repeated */
export async function openSetupFile(
  file: string,
  terminal: Terminal,
  environment: NodeJS.ProcessEnv,
): Promise<OpenSetupFile> {
  const content = readContent(file, (await readGiven(file, terminal)).toString('utf8'));
  const folder = file === '-' ? process.cwd() : path.dirname(path.resolve(file));
  const typed = new Map<string, string>();
  return {
    content,
    async valueOf(value, what) {
      const found = typeof value === 'string' ? value : await resolve(value, what);
      if (found === '') throw new CliError(EXIT.usage, `${what} is empty.`);
      return found;
    },
  };

  async function resolve(reference: Reference, what: string): Promise<string> {
    if ('env' in reference) {
      const value = environment[reference.env];
      if (value) return value;
      throw new CliError(EXIT.unfinished, `${what}: the environment variable ${reference.env} is not set.`);
    }
    if ('file' in reference) return fromFile(path.resolve(folder, reference.file), reference.field, what);
    if (terminal.isInteractive) {
      const answer = typed.get(what) ?? (await terminal.promptSecret(`${what}: `));
      typed.set(what, answer);
      return answer;
    }
    throw new CliError(EXIT.unfinished, `${what} needs a prompt, but this is not a terminal.`);
  }
}

async function fromFile(file: string, field: string | undefined, what: string): Promise<string> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT') throw new CliError(EXIT.unfinished, `${what}: ${file} does not exist yet.`);
    throw new CliError(EXIT.usage, `${what}: cannot read ${file} (${code}).`);
  }
  if (field === undefined) return content.replace(/\r?\n$/, '');
  const value = fieldOf(content, field);
  if (typeof value === 'string') return value;
  throw new CliError(EXIT.usage, `${what}: ${file} is not a JSON object with a text ${field}.`);
}

function fieldOf(content: string, field: string): unknown {
  try {
    const parsed = JSON.parse(content) as Record<string, unknown> | null;
    return parsed?.[field];
  } catch {
    return undefined;
  }
}

function readContent(file: string, content: string): SetupFile {
  let parsed: unknown;
  try {
    // Every JSON is YAML.
    parsed = parse(content, { prettyErrors: false });
  } catch (error) {
    const where = error instanceof YAMLParseError ? ` (at character ${error.pos[0]}: ${error.code})` : '';
    throw new CliError(EXIT.usage, `${file} is not YAML${where}.`);
  }
  const read = SetupFile.safeParse(parsed);
  if (read.success) return read.data;
  const wrong = read.error.issues.map(
    ({ path: at, message }) => `  ${at.join('.') || 'the file'}: ${message}`,
  );
  throw new CliError(EXIT.usage, [`Cannot use ${file}:`, ...wrong].join('\n'));
}

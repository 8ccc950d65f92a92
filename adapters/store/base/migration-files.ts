// The numbered .sql files of migrations/: read, checked for gaps, and cut into what PostgreSQL may run outside a transaction.
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

export interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
  /** Set when the file says that it runs outside a transaction: its statements, one by one. */
  readonly statements: readonly string[] | undefined;
  /** The release before runs beside it: it only adds. */
  readonly expands: boolean;
}

/** First line of a file whose indexes are built while the fleet keeps working. */
const OUTSIDE_A_TRANSACTION = '-- no transaction';
/** First line, or second after the one above, of a file that only adds; what it replaces is taken away a release later. */
const EXPANDS = /^(?:-- no transaction\n)?-- expands\n/;
/** What code that does not know of it could miss, or could no longer write. */
const TAKES_AWAY =
  /\b(?:drop\s+(?!index\s+concurrently)|rename\b|alter\s+column\b|truncate\b|delete\s+from\b|set\s+not\s+null\b|add\s+column\b(?![^,;]*\bdefault\b)[^,;]*\bnot\s+null\b)/i;

/** @throws Error when a number is missing or taken twice, a file outside a transaction could not be run again, or one that expands takes away */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = /^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1];
      if (Number(number) !== index + 1)
        throw new Error(
          `migration ${name} is not number ${index + 1}: numbers of migrations follow each other without a gap`,
        );
      const text = await readFile(path.join(folder, name), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      const statements = text.startsWith(`${OUTSIDE_A_TRANSACTION}\n`)
        ? repeatableStatements(name, text)
        : undefined;
      return { name, sha256, text, statements, expands: expands(name, text) };
    }),
  );
}

/**
 * What runs outside a transaction can stop half-way and leaves an invalid index: each one is dropped before it is built, so that the file
 * can run again.
 */
function repeatableStatements(name: string, text: string): readonly string[] {
  const statements = text
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  const dropped = new Set<string>();
  for (const statement of statements) {
    const drop = /^drop index concurrently if exists (\w+)$/.exec(statement)?.[1];
    const build = /^create (?:unique )?index concurrently (\w+) on\s/.exec(statement)?.[1];
    if (drop !== undefined) dropped.add(drop);
    else if (build === undefined || !dropped.has(build))
      throw new Error(
        `migration ${name}: outside a transaction stand only "drop index concurrently if exists" and, after it, "create index concurrently"`,
      );
  }
  return statements;
}

function expands(name: string, text: string): boolean {
  if (!EXPANDS.test(text)) return false;
  const taken = TAKES_AWAY.exec(text.replaceAll(/--.*$/gm, ''))?.[0];
  if (taken !== undefined)
    throw new Error(`migration ${name} says that it expands, but holds "${taken.trim()}"`);
  return true;
}

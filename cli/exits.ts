// How `odette` ends: exit codes, and the errors that people read. A stack is never shown.
import type { Problem } from '../api/contract/contract.ts';

export const EXIT = {
  done: 0,
  /** Odette refused, or what was asked for failed. */
  failed: 1,
  /** The command line, or a file given on it, is not right. */
  usage: 2,
  /** Odette or one of its parts does not respond. */
  notReady: 3,
  /** It went as far as it could; an answer of yours is missing. */
  unfinished: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a person can put right: one sentence, and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;

  constructor(exitCode: ExitCode, message: string, remedy?: string) {
    super(message);
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}

/** Odette answered with a problem document. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }

  get exitCode(): ExitCode {
    return this.problem.status === 503 ? EXIT.notReady : EXIT.failed;
  }
}

export const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof CliError || error instanceof Refused ? error.exitCode : EXIT.failed;

/** Title, what it is about, and what to do. */
export function errorLines(error: unknown): string[] {
  if (error instanceof Refused) {
    const { title, detail, errors, remedy, code, requestId } = error.problem;
    return [
      `odette: ${title}`,
      ...(detail === undefined ? [] : [`  ${detail}`]),
      ...(errors ?? []).map(({ field, reason }) => `  ${field}: ${reason}`),
      `  Remedy: ${remedy}`,
      `  (${code}, request ${requestId})`,
    ];
  }
  if (error instanceof CliError)
    return [`odette: ${error.message}`, ...(error.remedy === undefined ? [] : [`  Remedy: ${error.remedy}`])];
  return [`odette: ${error instanceof Error ? error.message : String(error)}`];
}

/** The same for programs. */
export function errorDocument(error: unknown): object {
  if (error instanceof Refused) return error.problem;
  const title = error instanceof Error ? error.message : String(error);
  return { title, ...(error instanceof CliError && error.remedy !== undefined && { remedy: error.remedy }) };
}

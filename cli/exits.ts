// How `odette` ends: exit codes, and the errors that people read. A stack is never shown.
import { ApiProblem } from '../api/contract/client.ts';

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

/** An error that a person can fix: one sentence, and what to do. */
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

export const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof CliError
    ? error.exitCode
    : error instanceof ApiProblem && error.problem.status === 503
      ? EXIT.notReady
      : EXIT.failed;

/** Title, what it is about, and what to do. */
export function errorLines(error: unknown): string[] {
  if (error instanceof ApiProblem) {
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
  if (error instanceof ApiProblem) return error.problem;
  const title = error instanceof Error ? error.message : String(error);
  return { title, ...(error instanceof CliError && error.remedy !== undefined && { remedy: error.remedy }) };
}

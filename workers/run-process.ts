// What every Odette process has in common: settings, a log without secrets, a graceful end, and an end together with its launcher.
import { pino, type Logger } from 'pino';
import { CataloguedError } from '../domain/failures.ts';
import { withEscapedControls } from '../domain/recorded-text.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { startFieldRecorder } from './field-recorder.ts';

export interface Running {
  /** Ends the process's work gracefully; called once. */
  stop(): Promise<void>;
  /** Settles when the work ends by itself, which it never should. */
  readonly ended?: Promise<void>;
}

/** A stop that takes longer is cut short: nothing is lost, the work is done again. */
const STOP_WITHIN_MS = 25_000;

/** Runs until SIGTERM or SIGINT, or until the launcher that started it is gone. */
export async function runProcess(
  name: string,
  start: (context: { readonly config: Config; readonly log: Logger }) => Promise<Running>,
): Promise<void> {
  let config: Config;
  try {
    config = readConfig(process.env);
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exit(2);
  }
  const log = createLog(name, config.logLevel);
  const fail = (error: unknown): never => {
    log.fatal({ err: error }, `${name} cannot continue`);
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  let isStopping = false;
  let running: Running | undefined;
  const stop = (why: string): void => {
    if (isStopping) return;
    isStopping = true;
    log.info({ why }, `${name} stops`);
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    void (running?.stop() ?? Promise.resolve()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // The launcher holds the other end; when it is killed its processes end as well instead of holding its ports.
  process.on('disconnect', () => stop('the launcher is gone'));

  try {
    if (config.fieldTestDir !== undefined) {
      startFieldRecorder(config.fieldTestDir, (err) => log.error({ err }, 'an exchange was not recorded'));
      log.warn('a field test is recorded: unset ODETTE_FIELD_TEST_DIR when it is over');
    }
    running = await start({ config, log });
  } catch (error) {
    // What people must do is a sentence on its own, not a stack.
    if (error instanceof ConfigError || error instanceof CataloguedError) console.error(error.message);
    return fail(error);
  }
  log.info({ afterMs: Math.round(process.uptime() * 1000) }, `${name} is ready`);
  process.send?.({ ready: true });
  await running.ended?.catch(fail);
  if (running.ended && !isStopping) fail(new Error(`${name} ended by itself`));
}

/** Structured lines on stdout. */
export function createLog(name: string, level: string): Logger {
  return pino({
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorFields },
    // JSON leaves C1 and the direction of text as they are, and logs are read in terminals.
    hooks: { streamWrite: withEscapedControls },
    redact: ['*.password', '*.secret', '*.token', '*.authorization', '*.cookie', 'req.headers'],
  });
}

/**
 * Chosen fields only: a database error's `detail` quotes row values, and a cause's message may quote an address or a body.
 */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  return {
    type: name,
    ...('code' in error ? { code: error.code } : {}),
    ...(error instanceof CataloguedError ? { facts: error.facts } : {}),
    message,
    stack,
    ...(cause instanceof Error
      ? { cause: { type: cause.name, ...('code' in cause ? { code: cause.code } : {}) } }
      : {}),
  };
}

// `--watch`: an answer again whenever it changes, until nothing is under way any more.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { CommandLine, JsonOption } from './command-line.ts';
import type { OdetteClient } from './odette-client.ts';
import { laidOut, type Line } from './table.ts';

export interface WatchOptions extends JsonOption {
  readonly watch?: true;
}

const EVERY_MS = 2_000;
/** Odette may be restarted meanwhile. */
const PATIENCE_MS = 5 * 60_000;

export const watchable = (command: Command): Command =>
  command.option(
    '--watch',
    'refresh the output whenever it changes, until nothing is under way or you press Ctrl-C; with --json, print one line for each change',
  );

/** Shows what `look` finds, and with `--watch` what it finds later. */
export async function showOrWatch<T>(
  line: CommandLine,
  { watch, ...options }: WatchOptions,
  look: (odette: OdetteClient) => Promise<T>,
  { linesOf, isUnderWay }: { linesOf: (found: T) => readonly Line[]; isUnderWay: (found: T) => boolean },
): Promise<void> {
  const odette = await line.connect(watch && { patienceMs: PATIENCE_MS });
  let found = await look(odette);
  if (!watch) return line.show(options, found, () => linesOf(found));
  for (let last: string | undefined; ; found = await look(odette)) {
    const text = JSON.stringify(found);
    if (text !== last) {
      if (options.json) line.terminal.print(text);
      else line.terminal.printLines(laidOut(linesOf(found), line.terminal.columns), last !== undefined);
    }
    if (!isUnderWay(found)) return;
    last = text;
    await sleep(EVERY_MS);
  }
}

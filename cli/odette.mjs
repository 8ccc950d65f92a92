#!/usr/bin/env node
// The `odette` command. `up` launches and watches the processes of one machine; everything else calls the API of a running one.
import { spawn } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [command, ...rest] = process.argv.slice(2);
// Anything else behind `up` is explained or refused where all options are known.
const isUp = command === 'up' && rest.every((argument) => ['--no-sandbox', '--json'].includes(argument));
/** On the machine itself, while Odette is stopped: they need its database and key file, not its API. */
const isMaintenance =
  (['backup', 'restore'].includes(command) && rest.length === 1 && !rest[0].startsWith('-')) ||
  (command === 'keys' && rest.length === 1 && ['renew', 'retire'].includes(rest[0]));
const script = isUp ? 'workers/launcher.ts' : isMaintenance ? 'workers/maintenance.ts' : 'cli/main.ts';

const child = spawn(
  process.execPath,
  [
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(new URL(`../${script}`, import.meta.url)),
    ...(isUp ? rest : process.argv.slice(2)),
  ],
  // The channel tells the launcher when this process is killed.
  {
    stdio: ['inherit', 'inherit', 'inherit', ...(isUp ? ['ipc'] : [])],
    env: process.env,
    cwd: isUp ? ROOT : process.cwd(),
  },
);
// This process ends when the child has stopped everything; Ctrl-C may reach the child twice, which it does not mind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    child.kill(signal);
  });
child.once('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.once('close', (code, signal) => {
  process.exitCode = code ?? 128 + (os.constants.signals[signal] ?? 0);
});

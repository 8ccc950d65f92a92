#!/usr/bin/env node
// The `odette` command. `up` launches and watches the processes of one machine; everything else calls the API of a running one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
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
const program = new URL(
  `../dist/${isUp ? 'workers/launcher' : isMaintenance ? 'workers/maintenance' : 'cli/main'}.js`,
  import.meta.url,
);

if (!existsSync(program)) {
  console.error(`Odette is not built yet. In ${ROOT}: npm ci && npm run build:programs`);
  process.exitCode = 1;
} else if (isUp) {
  launch();
} else {
  process.setSourceMapsEnabled(true);
  await import(program.href);
}

/** In a process of its own, which the channel tells when this one is killed. */
function launch() {
  const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(program), ...rest], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    cwd: ROOT,
  });
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
}

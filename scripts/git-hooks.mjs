// Has git use the repository's own hooks (scripts/hooks), in a checkout whose owner has chosen no others. Built-ins only.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const HOOKS = 'scripts/hooks';

/** @param {string} root of the clone; nothing is done in an unpacked archive, or where git is not installed */
export async function installHooks(root) {
  if (!existsSync(path.join(root, '.git'))) return;
  const git = (...args) => promisify(execFile)('git', ['-C', root, ...args]);
  const chosen = await git('config', '--get', 'core.hooksPath').then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  if (chosen !== '') return;
  await git('config', 'core.hooksPath', HOOKS).catch(() => undefined);
}

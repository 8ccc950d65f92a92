// How a program of Odette is run: as scripts/build-programs.mjs built it.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export type ProgramName =
  `workers/${'worker' | 'relay' | 'api-server' | 'device-server'}` | `sandbox/${'main' | 'demo'}`;

/** Arguments and folder for Node.js. */
export const programAt = (name: ProgramName): { readonly args: readonly string[]; readonly cwd: string } => ({
  args: ['--enable-source-maps', path.join('dist', `${name}.js`)],
  cwd: ROOT,
});

// The workflows' code as one bundle, made with the programs (workers/bundle-workflows.ts), so that a worker is ready at once.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { CONVERTERS } from './codec.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** With the programs: code that runs is in no folder that holds data, and an image needs to write nothing. */
const FOLDER = path.join(ROOT, 'dist', 'workflows');

/**
 * The path of the bundle; built when the sources, the dependencies or the bundle's makers changed since.
 * @param version of the sources, where it is known
 */
export async function workflowBundle(version?: string): Promise<string> {
  const file = path.join(FOLDER, `${version ?? (await workflowsVersion())}.js`);
  if (await stat(file).catch(() => undefined)) return file;
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(ROOT, 'workflows', 'index.ts'),
    ...CONVERTERS,
    workflowInterceptorModules: [path.join(ROOT, 'workflows', 'authenticated.ts')],
    preloadModules: [path.join(ROOT, 'workflows', 'preloaded.ts')],
    logger: {
      log: () => undefined,
      trace: () => undefined,
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => console.warn(message),
      error: (message) => console.error(message),
    },
  });
  await mkdir(FOLDER, { recursive: true });
  // Renamed into place: a killed or a parallel build never leaves half a bundle under the name.
  const half = `${file}.${process.pid}`;
  await writeFile(half, code);
  await rename(half, file);
  return file;
}

/** The same wherever the same sources run: the build ID of this version. */
export async function workflowsVersion(): Promise<string> {
  const hash = createHash('sha256');
  const files = [path.join(ROOT, 'package-lock.json'), ...Object.values(CONVERTERS)];
  for (const room of ['workflows', 'domain']) {
    const names = await readdir(path.join(ROOT, room), { recursive: true });
    files.push(
      ...names.filter((name) => /(?<!\.test)\.ts$/.test(name)).map((name) => path.join(ROOT, room, name)),
    );
  }
  for (const file of files.sort()) {
    const text = await readFile(file).catch(() => Buffer.alloc(0));
    hash.update(`${path.relative(ROOT, file)}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex').slice(0, 16);
}

// The workflows as another version of Odette might have them: the sources of this one with a change, bundled as the product bundles its own.
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { CONVERTERS } from '../../workers/codec.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface ChangedWorkflows {
  readonly codePath: string;
  remove(): Promise<void>;
}

/** @param change of the text of workflows/roll-out-device.ts; it must change something */
export async function changedWorkflows(change: (source: string) => string): Promise<ChangedWorkflows> {
  // Nobody else may write to it. Packages are where they are; sources below node_modules would not be compiled.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-changed-workflows-'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const room of ['workflows', 'domain'])
    await cp(path.join(ROOT, room), path.join(folder, room), { recursive: true });
  const file = path.join(folder, 'workflows', 'roll-out-device.ts');
  const source = await readFile(file, 'utf8');
  const changed = change(source);
  if (changed === source) throw new Error('the sources have become others: nothing was changed');
  await writeFile(file, changed);
  const ignore = () => undefined;
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(folder, 'workflows', 'index.ts'),
    ...CONVERTERS,
    workflowInterceptorModules: [path.join(folder, 'workflows', 'authenticated.ts')],
    preloadModules: [path.join(folder, 'workflows', 'preloaded.ts')],
    logger: { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: console.error },
  });
  const codePath = path.join(folder, 'workflows.js');
  await writeFile(codePath, code);
  return { codePath, remove: () => rm(folder, { recursive: true, force: true }) };
}

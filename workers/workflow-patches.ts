// Keeps an older version of Odette from workflows that a newer one has changed: their histories hold the marker of a `patched()` that the
// older code does not know, and every task of theirs would fail.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type { Database } from '../adapters/store/base/database.ts';
import { recordWorkflowPatches } from '../adapters/store/base/workflow-patches.ts';
import { CataloguedError } from '../domain/failures.ts';
import type { WorkerVersions } from './workflow-versions.ts';

const WORKFLOWS = fileURLToPath(new URL('../workflows/', import.meta.url));
const MAX_NAMED = 20;

/** Ids of `patched()` and `deprecatePatch()` in these sources. */
export const patchesIn = (sources: readonly string[]): string[] => [
  ...new Set(
    sources.flatMap((source) =>
      [...source.matchAll(/\b(?:patched|deprecatePatch)\(\s*['"`]([^'"`]+)['"`]/g)].map(([, id = '']) => id),
    ),
  ),
];

/** Of this version's workflows. */
export async function ownPatches(): Promise<string[]> {
  const names = (await readdir(WORKFLOWS)).filter((name) => /(?<!\.test)\.ts$/.test(name));
  return patchesIn(await Promise.all(names.map((name) => readFile(WORKFLOWS + name, 'utf8'))));
}

/** Those stay in the code of the version that began them. */
const NOT_PINNED =
  "(TemporalWorkflowVersioningBehavior is null or TemporalWorkflowVersioningBehavior != 'Pinned')";

/**
 * Before a worker takes over. Notes the patches that this version knows.
 * @throws CataloguedError `temporal.newer_workflows` (facts: patches, workflows) while workflows run that hold another one
 */
export async function refuseNewerWorkflows(
  { database, temporal }: { readonly database: Database; readonly temporal: Client },
  {
    patches,
    workerVersions,
  }: { readonly patches: readonly string[]; readonly workerVersions: WorkerVersions },
): Promise<void> {
  const newer = await recordWorkflowPatches(database, patches);
  const held = new Set<string>();
  for (const patch of newer) {
    const holding = `ExecutionStatus = 'Running' and TemporalChangeVersion = '${patch}'`;
    const query = workerVersions === 'several' ? `${holding} and ${NOT_PINNED}` : holding;
    for await (const { workflowId } of temporal.workflow.list({ query, pageSize: MAX_NAMED })) {
      held.add(workflowId);
      if (held.size >= MAX_NAMED) break;
    }
  }
  if (held.size > 0)
    throw new CataloguedError('temporal.newer_workflows', {
      facts: { patches: newer.join(', '), workflows: [...held].join(', ') },
    });
}

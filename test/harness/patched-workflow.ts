// A workflow as a newer version of Odette might have it: its history holds a marker that this version does not know.
import { patched, sleep } from '@temporalio/workflow';

export async function patchedWorkflow(): Promise<void> {
  if (patched('from-a-newer-version')) await sleep('1 hour');
}

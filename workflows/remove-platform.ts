// Removes a platform or a whole integration: waits out the delay, takes payloads away in waves, ends it. What is decided is in the tables.
import { condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { removalChangedSignal } from './messages.ts';
import { removals } from './policies.ts';
import { showDetails } from './show-details.ts';

export interface RemovePlatformInput {
  readonly removalId: string;
}

export async function removePlatform({ removalId }: RemovePlatformInput): Promise<void> {
  let changes = 0;
  setHandler(removalChangedSignal, () => {
    changes += 1;
  });
  for (;;) {
    const seen = changes;
    const { shown, waitMs, isOver } = await removals.advanceRemoval({ removalId });
    showDetails([shown]);
    if (isOver) return;
    const isChanged = () => changes > seen;
    if (waitMs === null) await condition(isChanged);
    else await condition(isChanged, waitMs);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof removePlatform>({ removalId });
  }
}

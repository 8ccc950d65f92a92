// Daily checks without a workflow: a page of devices is asked for its lists and woken, paced; their responses are judged where they are recorded.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { buildCommand } from '../adapters/mdm/command.ts';
import { queueChecks, type CheckCommand } from '../adapters/store/devices/device-checks.ts';
import { readDeviceState, rolloutViewOf } from '../adapters/store/rollout/rollout-state.ts';
import { checkOwner, checkStep } from '../domain/device-check.ts';
import { inventoryOf } from '../domain/rollout-plan.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { wakeDevice } from './wake-device.ts';

/** Devices that are woken in a second: what they say all at once would be in the way of those who enroll. */
const WOKEN_PER_SECOND = 20;

/** Asks each of these devices for its lists, and sends it one push. */
export async function startChecks(
  deps: ActivityDependencies,
  deviceIds: readonly string[],
  now: Date,
): Promise<void> {
  if (deviceIds.length === 0) return;
  const asked = await deps.database.inTransaction(async (sql) => {
    const commands: CheckCommand[] = [];
    for (const deviceId of deviceIds) {
      const state = await readDeviceState(sql, deviceId);
      if (state === undefined) continue;
      for (const query of inventoryOf(rolloutViewOf(state, now.getTime()))) {
        const uuid = randomUUID();
        const body = buildCommand(uuid, { requestType: query });
        const workflowId = checkOwner(deviceId);
        commands.push({ uuid, deviceId, workflowId, step: checkStep(query), requestType: query, body });
      }
    }
    return queueChecks(sql, commands, now);
  });
  // Beside each other: two hundred answers of Apple, one after the other, would outlast the activity.
  await Promise.all(
    asked.map(async (deviceId, index) => {
      await pause((index * 1000) / WOKEN_PER_SECOND);
      // A device that gets no push is seen to be silent, and checked when it calls.
      await wakeDevice(deps, deviceId);
    }),
  );
}

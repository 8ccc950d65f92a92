// Another version of the workflows takes over while rollouts are under way, and gives them back: a change that carries a patch marker, and
// one that does not, as a mistake would.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownPatches, refuseNewerWorkflows } from '../../workers/workflow-patches.ts';
import { changedWorkflows, type ChangedWorkflows } from '../harness/changed-workflows.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../harness/rollout-world.ts';

quietRuntime();
const PATCH = 'a-step-of-another-version';
const LOOP = '        const step = await this.#plan();\n';
const STEP =
  'await database.recordWaitsFor({ deviceId: this.#deviceId, waitsFor: null, nowMs: Date.now() });\n';

let world: RolloutWorld;
let compatible: ChangedWorkflows;
let incompatible: ChangedWorkflows;
beforeAll(async () => {
  world = await openRolloutWorld({ trustLookupSeconds: [] });
  compatible = await changedWorkflows((source) =>
    source
      .replace('  allHandlersFinished,\n', '  allHandlersFinished,\n  patched,\n')
      .replace(LOOP, `        if (patched('${PATCH}')) ${STEP}${LOOP}`),
  );
  incompatible = await changedWorkflows((source) => source.replace(LOOP, `        ${STEP}${LOOP}`));
}, 240_000);
afterAll(async () => {
  await world?.close();
  await compatible?.remove();
  await incompatible?.remove();
});

const FLEET = 8;

/** Each has a rollout that waits for it. */
async function waitingFleet(): Promise<FakeDevice[]> {
  const macs = await Promise.all(Array.from({ length: FLEET }, () => world.newDevice('Mac')));
  for (const mac of macs) mac.isAsleep = true;
  for (const mac of macs) await world.rollOut(mac.id);
  await world.until(() => expect(macs.map(({ pushes }) => pushes > 0)).not.toContain(false), 120_000);
  return macs;
}

async function wakeAll(macs: readonly FakeDevice[]): Promise<void> {
  for (const mac of macs) mac.isAsleep = false;
  await Promise.all(macs.map((mac) => mac.wake()));
}

async function allDelivered(macs: readonly FakeDevice[]): Promise<void> {
  for (const mac of macs) {
    expect(await world.ended(mac.id, 120_000)).toBe('COMPLETED');
    expect(await world.trust(mac.id)).toMatchObject({ phase: 'delivered' });
    expect(mac.maxCertificates).toBe(1);
  }
}

/** What a worker of a version with these patches does first. */
const start = (patches: readonly string[]): Promise<void> =>
  refuseNewerWorkflows({ database: world.database, temporal: world.client }, patches);

/** Of the workflow task that is tried now. */
async function attempt(mac: FakeDevice): Promise<number> {
  const { raw } = await world.rollout(mac.id).describe();
  return Number(raw.pendingWorkflowTask?.attempt ?? 0);
}

test('a newer version with a patch takes rollouts over, and the older one takes back what it can and names the rest', async () => {
  const begunBefore = await waitingFleet();
  await world.restartWorker(compatible.codePath);
  const begunAfter = await waitingFleet();
  // Those from before end on the newer version.
  await wakeAll(begunBefore);
  await allDelivered(begunBefore);

  const own = await ownPatches();
  await start([...own, PATCH]);
  const refusal = () => start(own).catch((error: unknown) => error);
  await world.until(async () => {
    const error = await refusal();
    expect(error).toMatchObject({ code: 'temporal.newer_workflows', facts: { patches: PATCH } });
    const { facts } = error as { facts: { workflows: string } };
    expect(facts.workflows.split(', ').sort()).toEqual(begunAfter.map(({ id }) => `rollout/${id}`).sort());
  }, 60_000);

  // As the guide says: they begin again in the older version. While the newer one runs, it would begin them.
  await world.stopWorker();
  for (const { id } of begunAfter) await resetToFirstTask(id);
  await world.restartWorker();
  await wakeAll(begunAfter);
  await allDelivered(begunAfter);
  await expect.poll(refusal, { timeout: 60_000 }).toBeUndefined();
}, 360_000);

test('a newer version that forgot its patch fails no rollout: the older one goes on with all of them', async () => {
  const macs = await waitingFleet();
  await world.restartWorker(incompatible.codePath);
  await wakeAll(macs);
  await world.until(
    async () => expect(Math.min(...(await Promise.all(macs.map(attempt))))).toBeGreaterThan(1),
    120_000,
  );
  for (const mac of macs) expect((await world.rollout(mac.id).describe()).status.name).toBe('RUNNING');
  await world.restartWorker();
  await allDelivered(macs);
}, 360_000);

async function resetToFirstTask(deviceId: string): Promise<void> {
  const handle = world.rollout(deviceId);
  const { events } = await handle.fetchHistory();
  const { runId } = await handle.describe();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  await world.connection.workflowService.resetWorkflowExecution({
    namespace: world.namespace,
    workflowExecution: { workflowId: `rollout/${deviceId}`, runId },
    reason: 'older version',
    workflowTaskFinishEventId: first?.eventId ?? null,
    requestId: randomUUID(),
  });
}

// Another version of the workflows takes over while rollouts are under way, and gives them back: a change that carries a patch marker, and
// one that does not, as a mistake would.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownPatches, refuseNewerWorkflows } from '../../workers/workflow-patches.ts';
import { DEPLOYMENT, makeCurrent } from '../../workers/workflow-versions.ts';
import { getTemporal } from '../../scripts/temporal-server.mjs';
import { changedWorkflows, type ChangedWorkflows } from '../harness/changed-workflows.ts';
import type { FakeDevice } from '../harness/fake-device.ts';
import { readPage, runCommands } from '../harness/page-commands.ts';
import { openRolloutWorld, quietRuntime, type RolloutWorld } from '../harness/rollout-world.ts';
import { temporalAddress } from '../harness/temporal.ts';

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
async function waitingFleet(size = FLEET): Promise<FakeDevice[]> {
  const macs = await Promise.all(Array.from({ length: size }, () => world.newDevice('Mac')));
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
  refuseNewerWorkflows(
    { database: world.database, temporal: world.client },
    { patches, workerVersions: 'one' },
  );

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

test('where older workers stay, each rollout ends in the code that began it, also after the way back, and certificates go on in the current one', async () => {
  await world.stopWorker();
  const older = await world.startVersion('older', 'several');
  const trusted = await waitingFleet(1);
  await wakeAll(trusted);
  await allDelivered(trusted);
  const begunInOlder = await waitingFleet();

  const newer = await world.startVersion('newer', 'several', incompatible.codePath);
  const begunInNewer = await waitingFleet();
  await wakeAll([...begunInOlder, ...begunInNewer]);
  await allDelivered([...begunInOlder, ...begunInNewer]);
  expect(await versionsOf('rollout', begunInOlder)).toEqual(['odette:older']);
  expect(await versionsOf('rollout', begunInNewer)).toEqual(['odette:newer']);
  await renewAll(trusted);
  expect(await versionsOf('certificate', trusted)).toEqual(['odette:newer']);

  // Back: one that starts again does not take over by itself; the operator's word does, and what the newer one began is ended by it.
  const waiting = await waitingFleet(2);
  await older.stop();
  const again = await world.startVersion('older', 'several');
  expect(await currentVersion()).toBe('newer');
  await makeCurrent(world.client, 'older', 'several');
  const begunAfter = await waitingFleet(2);
  await wakeAll([...waiting, ...begunAfter]);
  await allDelivered([...waiting, ...begunAfter]);
  expect(await versionsOf('rollout', waiting)).toEqual(['odette:newer']);
  expect(await versionsOf('rollout', begunAfter)).toEqual(['odette:older']);
  await renewAll(trusted);
  expect(await versionsOf('certificate', trusted)).toEqual(['odette:older']);
  for (const mac of [...begunInOlder, ...begunInNewer, ...waiting, ...begunAfter, ...trusted])
    expect(await failedTasks(mac)).toBe(0);

  // One version again: what is pinned to the one that went away goes on in it.
  const left = await waitingFleet(2);
  await again.stop();
  await newer.stop();
  const only = await world.startVersion('only', 'one');
  await wakeAll(left);
  await allDelivered(left);
  await only.stop();
}, 360_000);

test('the commands of the guide bring the older version back, and hand over what nobody carries on', async () => {
  await world.stopWorker();
  const older = await world.startVersion('before', 'several');
  const newer = await world.startVersion('after', 'several', compatible.codePath);
  const begunInNewer = await waitingFleet(3);
  const [describe = '', list = '', pin = '', back = '', unpin = '', handOver = ''] = await guideCommands();

  await world.until(async () => {
    const listed = await temporalCli(list);
    for (const { id } of begunInNewer) expect(listed).toContain(`rollout/${id}`);
  }, 60_000);
  await temporalCli(pin);
  await world.until(async () => {
    for (const { id } of begunInNewer) expect(await overrideOf(id)).toBe('odette:after');
  }, 60_000);
  await temporalCli(back);
  expect(await currentVersion()).toBe('before');
  // One of them is to end sooner.
  const [sooner, ...staying] = begunInNewer as [FakeDevice, ...FakeDevice[]];
  await temporalCli(unpin.replace('ID', `rollout/${sooner.id}`));
  await resetToFirstTask(sooner.id);
  const begunAfter = [sooner, ...(await waitingFleet(1))];
  await wakeAll([...staying, ...begunAfter]);
  await allDelivered([...staying, ...begunAfter]);
  expect(await versionsOf('rollout', staying)).toEqual(['odette:after']);
  expect(await versionsOf('rollout', begunAfter)).toEqual(['odette:before']);

  // The newer workers stay until their version has drained, which Temporal finds out within minutes.
  expect(await temporalCli(describe)).toMatch(/ after +drain(ing|ed) /);

  // The older workers are stopped too early.
  const left = await waitingFleet(1);
  await older.stop();
  await makeCurrent(world.client, 'after', 'several');
  await temporalCli(handOver);
  await wakeAll(left);
  await allDelivered(left);
  expect(await versionsOf('rollout', left)).toEqual(['odette:after']);
  await newer.stop();
}, 360_000);

/** Those of the chapter, in its order. */
async function guideCommands(): Promise<string[]> {
  const text = await readPage('docs/operations-guide.md', '### Two versions side by side');
  return [...text.matchAll(/`temporal (w[^`]+)`/g)].map(([, command = '']) =>
    command.replaceAll('PATCH', PATCH).replaceAll('NEWER', 'after').replaceAll('OLDER', 'before'),
  );
}

/** As an operator would, who is asked whether it is meant. Returns what it said. */
async function temporalCli(command: string): Promise<string> {
  const asksFirst = /^workflow update-options --query|^worker deployment set-current-version/.test(command);
  const program = await getTemporal(() => undefined);
  const { code, said } = await runCommands([`"${program}" ${command} ${asksFirst ? '--yes' : ''}`], {
    ...process.env,
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: world.namespace,
  });
  expect(code, said).toBe(0);
  return said;
}

async function overrideOf(deviceId: string): Promise<string> {
  const { raw } = await world.rollout(deviceId).describe();
  const { version } = raw.workflowExecutionInfo?.versioningInfo?.versioningOverride?.pinned ?? {};
  return `${version?.deploymentName}:${version?.buildId}`;
}

async function currentVersion(): Promise<string | undefined> {
  const { workerDeploymentInfo } = await world.connection.workflowService.describeWorkerDeployment({
    namespace: world.namespace,
    deploymentName: DEPLOYMENT,
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? undefined;
}

/** Of the code that carried out the last task of each, each once. */
async function versionsOf(kind: 'rollout' | 'certificate', macs: readonly FakeDevice[]): Promise<string[]> {
  const versions = macs.map(async ({ id }) => {
    const { raw } = await world.client.workflow.getHandle(`${kind}/${id}`).describe();
    const { deploymentVersion } = raw.workflowExecutionInfo?.versioningInfo ?? {};
    return `${deploymentVersion?.deploymentName}:${deploymentVersion?.buildId}`;
  });
  return [...new Set(await Promise.all(versions))];
}

async function renewAll(macs: readonly FakeDevice[]): Promise<void> {
  for (const mac of macs) {
    const before = mac.certificates.map(({ serialNumber }) => serialNumber);
    const body = { eventId: randomUUID(), reason: 'asked by an operator' };
    await world.certificateWorkflow(mac.id).signal('renewNow', body);
    await world.until(() => {
      expect(mac.certificates).toHaveLength(1);
      expect(before).not.toContain(mac.certificates[0]?.serialNumber);
    }, 60_000);
  }
}

async function failedTasks(mac: FakeDevice): Promise<number> {
  const { events } = await world.rollout(mac.id).fetchHistory();
  return (events ?? []).filter(({ workflowTaskFailedEventAttributes: failed }) => failed).length;
}

async function resetToFirstTask(deviceId: string): Promise<void> {
  const { events } = await world.rollout(deviceId).fetchHistory();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  await world.reset(deviceId, first?.eventId);
}

import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../workers/workflow-bundle.ts';
import { recordHistory } from './histories/recording.ts';
import { openRolloutWorld, quietRuntime } from './harness/rollout-world.ts';

quietRuntime();
const folder = new URL('./histories/', import.meta.url);

/** One device of each kind, from enrolled to trusted, and what goes wrong on the way. */
async function recordAll(): Promise<void> {
  const world = await openRolloutWorld({ trustLookupSeconds: [1], removalDelayMinutes: 0.01 });
  try {
    const [mac, phone, foreign] = await Promise.all([
      world.newDevice('Mac'),
      world.newDevice('iPhone', { userName: 'ada@acme.com' }),
      world.newDevice('Mac'),
    ]);
    foreign.appIsForeign = true;
    for (const device of [mac, phone, foreign]) await world.rollOut(device.id);
    for (const device of [mac, phone, foreign]) await world.ended(device.id, 60_000);
    await recordHistory('1-rollout-mac', world.rollout(mac.id));
    await recordHistory('1-rollout-iphone', world.rollout(phone.id));
    await recordHistory('1-rollout-failed', world.rollout(foreign.id));
    await world.keeper(mac.id).signal('renewNow', { eventId: 'renew', reason: 'recorded' });
    await world.until(
      () => expect(mac.carriedOut.filter((each) => each === 'RemoveProfile')).toHaveLength(1),
      60_000,
    );
    await world.until(async () => {
      const { events } = await world.keeper(mac.id).fetchHistory();
      expect(events?.at(-1)?.timerStartedEventAttributes).toBeTruthy();
    }, 60_000);
    await recordHistory('1-keeper-renewed', world.keeper(mac.id));
    await recordHistory('1-trust-look-up', world.client.workflow.getHandle(`trust/${mac.id}`));
  } finally {
    await world.close();
  }
}

const isRecording = process.env['RECORD_HISTORIES'] === '1';

describe('histories that were recorded', () => {
  let codePath: string;
  beforeAll(async () => {
    if (isRecording) await recordAll();
    codePath = await workflowBundle(path.join(tmpdir(), 'odette-test-bundles'));
  }, 300_000);

  test('replay on the workflows of today', async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const history: unknown = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
      await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, name);
    }
  }, 120_000);

  test('a changed order of steps is found', async () => {
    const text = await readFile(new URL('1-trust-look-up.json', folder), 'utf8');
    const changed: unknown = JSON.parse(text.replaceAll('lookUpDevice', 'somethingElse'));
    await expect(
      Worker.runReplayHistory({ workflowBundle: { codePath } }, changed, 'changed'),
    ).rejects.toThrow();
  }, 60_000);
});

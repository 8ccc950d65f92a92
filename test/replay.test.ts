import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../workers/workflow-bundle.ts';
import { patchesIn } from '../workers/workflow-patches.ts';
import { BRANCHES, missingPatches, type Events } from './histories/branches.ts';
import { recordAll } from './histories/recorded-runs.ts';
import { recordedConverter } from './histories/test-codec.ts';
import { quietRuntime } from './harness/rollout-world.ts';

quietRuntime();
const folder = new URL('./histories/', import.meta.url);

interface RecordedHistory {
  readonly events: {
    readonly workflowExecutionStartedEventAttributes?: {
      readonly workflowType: { readonly name: string };
      readonly workflowId: string;
    };
  }[];
}

const isRecording = process.env['RECORD_HISTORIES'] === '1';

describe('histories that were recorded', () => {
  let codePath: string;
  let texts: (readonly [name: string, text: string])[];
  beforeAll(async () => {
    if (isRecording) await recordAll();
    codePath = await workflowBundle();
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    texts = await Promise.all(
      names.map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const),
    );
  }, 600_000);

  /** Under its own id: what was sealed for a workflow opens in it alone. */
  const replay = (history: RecordedHistory): Promise<void> =>
    Worker.runReplayHistory(
      { workflowBundle: { codePath }, dataConverter: recordedConverter },
      history,
      history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId,
    );

  test('are of every workflow', async () => {
    const entry = await readFile(new URL('../workflows/index.ts', import.meta.url), 'utf8');
    const workflows = [...(/export \{([^}]+)\}/.exec(entry)?.[1]?.match(/\w+/g) ?? [])];
    const recorded = texts.map(([, text]) => {
      const [started] = (JSON.parse(text) as RecordedHistory).events;
      return started?.workflowExecutionStartedEventAttributes?.workflowType.name;
    });
    expect(workflows.length).toBeGreaterThan(0);
    expect([...new Set(recorded)].sort()).toEqual(workflows.sort());
  });

  const histories = () => texts.map(([, text]) => (JSON.parse(text) as { events: Events }).events);

  test.each(Object.keys(BRANCHES))('have gone each way: %s', (branch) => {
    expect(histories().some((events) => BRANCHES[branch]?.(events))).toBe(true);
  });

  test('hold a marker of every patch of the workflows', async () => {
    const sources = await workflowSources();
    expect(sources.length).toBeGreaterThan(10);
    expect(missingPatches(patchesIn(sources), histories())).toEqual([]);
  });

  test('that lack a marker or a way are found', () => {
    const source = `if (patched('asks-twice')) await once(); deprecatePatch("older");`;
    expect(patchesIn([source])).toEqual(['asks-twice', 'older']);
    const marked = (id: string): Events => {
      const data = Buffer.from(JSON.stringify({ id, deprecated: false })).toString('base64');
      const details = { 'patch-data': { payloads: [{ data }] } };
      return [
        {
          eventType: 'EVENT_TYPE_MARKER_RECORDED',
          markerRecordedEventAttributes: { markerName: 'core_patch', details },
        },
      ];
    };
    expect(missingPatches(['asks-twice', 'older'], [marked('older'), []])).toEqual(['asks-twice']);
    const quiet = histories().filter((events) => BRANCHES['the device says NotNow']?.(events) === false);
    expect(quiet.length).toBeGreaterThan(0);
  });

  test('hold what the workflows know encrypted', () => {
    const encrypted = Buffer.from('binary/encrypted').toString('base64');
    for (const [name, text] of texts) expect(text, name).toContain(encrypted);
    for (const [name, text] of texts) expect(text, name).not.toContain(plain('"deviceId"'));
  });

  test('have no activity that would be tried for ever', () => {
    const scheduled = histories()
      .flat()
      .flatMap(({ activityTaskScheduledEventAttributes: activity }) => activity ?? []);
    expect(scheduled.length).toBeGreaterThan(0);
    for (const { activityType, scheduleToCloseTimeout } of scheduled)
      expect(Number.parseFloat(scheduleToCloseTimeout), activityType.name).toBeGreaterThan(0);
  });

  test('replay on the workflows of today', async () => {
    for (const [, text] of texts) await replay(JSON.parse(text) as RecordedHistory);
  }, 240_000);

  test('a changed order of steps is found', async () => {
    const [, text = ''] = texts.find(([name]) => name === '1-observe-trust.json') ?? [];
    const changed = JSON.parse(text.replaceAll('observeOktaPage', 'somethingElse')) as RecordedHistory;
    await expect(replay(changed)).rejects.toThrow();
  }, 60_000);
});

async function workflowSources(): Promise<string[]> {
  const room = new URL('../workflows/', import.meta.url);
  const names = (await readdir(room)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return Promise.all(names.map((name) => readFile(new URL(name, room), 'utf8')));
}

/** The beginning of a JSON object with this key, as base64 would show it. */
const plain = (key: string): string => Buffer.from(`{${key}`).toString('base64').slice(0, 12);

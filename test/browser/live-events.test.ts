// The console receives every event that the product writes: each kind of event has its place in the console's list.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROOMS = ['adapters', 'activities', 'api', 'workers'];
const WRITTEN = [
  /appendEvent\([^;]*?kind:\s*'([^']+)'/gs,
  // A statement that writes its event itself.
  /insert into events \([^)]*\)\s*(?:select|values\s*\()\s*'([^']+)'/gs,
];

async function writtenKinds(): Promise<string[]> {
  const files = await Promise.all(
    ROOMS.map((room) => readdir(path.join(ROOT, room), { recursive: true, withFileTypes: true })),
  );
  const sources = files.flat().filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const texts = await Promise.all(
    sources.map(({ parentPath, name }) => readFile(path.join(parentPath, name), 'utf8')),
  );
  const found = texts.flatMap((text) => WRITTEN.flatMap((written) => [...text.matchAll(written)]));
  return [...new Set(found.map((match) => match[1] ?? ''))];
}

test('every kind of event that is written refreshes something in the console', async () => {
  const kinds = await writtenKinds();
  expect(kinds).toContain('device.trust_changed');
  expect(kinds).toContain('integration.health_changed');
  const list = await readFile(path.join(ROOT, 'web/shell/live-events.ts'), 'utf8');
  expect(kinds.filter((kind) => !list.includes(`'${kind}'`))).toEqual([]);
});

// Each action that is written into the audit trail has its sentence and its kind.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AUDIT_KINDS } from '../domain/audit-kinds.ts';
import { FAILURES } from '../domain/failures.ts';
import { AUDITED_ACTIONS, auditText } from '../domain/audit-text.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** A quoted word with a dot, in a source that writes entries: actions, events and codes of failures look alike. */
const QUOTED = /'([a-z_]+\.[a-z_]+)'/g;
const WRITES = /(?:action(?::| =|Audit\()|\baudit\()[^;]*/g;

async function writtenActions(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const room of ['api', 'activities', 'adapters', 'workers', 'workflows'])
    for (const entry of await readdir(path.join(ROOT, room), { recursive: true, withFileTypes: true })) {
      if (!entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
      const source = await readFile(path.join(entry.parentPath, entry.name), 'utf8');
      if (!/appendAudit|recordRestored|audit_entries|action: '/.test(source)) continue;
      for (const [written] of source.matchAll(WRITES))
        for (const [, action = ''] of written.matchAll(QUOTED)) found.add(action);
    }
  return found;
}

test('every action that is written has a sentence, and every sentence is of a kind', async () => {
  const areas: readonly string[] = Object.values(AUDIT_KINDS).flat();
  const written = [...(await writtenActions())].filter(
    (action) => areas.some((area) => action.startsWith(area)) && !Object.hasOwn(FAILURES, action),
  );
  expect(written.length).toBeGreaterThan(50);
  expect(written.filter((action) => !AUDITED_ACTIONS.includes(action))).toEqual([]);
  expect(AUDITED_ACTIONS.filter((action) => !areas.some((area) => action.startsWith(area)))).toEqual([]);
});

test('a sentence names its subject, and leaves out what its entry does not say', () => {
  const what = 'the integration “acme”';
  expect(auditText({ action: 'removal.asked', what, detail: { platform: 'iOS' } })).toBe(
    'started to remove iOS from the integration “acme”',
  );
  expect(auditText({ action: 'removal.asked', what, detail: { platform: null } })).toBe(
    'started to remove the integration “acme”',
  );
  expect(auditText({ action: 'device.check_asked', what: undefined, detail: { devices: 1200 } })).toBe(
    'requested a check of 1,200 devices',
  );
  expect(
    auditText({ action: 'secret.used', what, detail: { kind: 'ios_secret_key', purpose: 'queue' } }),
  ).toBe('used the iOS secret key for “queue”');
});

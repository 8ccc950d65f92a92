// An entry of the audit trail as people read it: a sentence with names, and what a change replaced.
import type { AuditEntry } from '../../adapters/store/base/audit.ts';
import type { AuditChange } from '../../domain/audit-change.ts';
import { auditText, wordsOf } from '../../domain/audit-text.ts';

type Names = ReadonlyMap<string, string>;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Whatever may have a name. */
export const idsIn = ({ actor, subject, detail }: AuditEntry): string[] =>
  [actor, subject, JSON.stringify([detail['changes'], detail['blueprintId']])].flatMap(
    (text) => text?.match(UUID) ?? [],
  );

export const showAuditEntry = (entry: AuditEntry, names: Names) => ({
  id: entry.id,
  at: entry.at,
  actor: entry.actor,
  actorName: actorName(entry.actor, names),
  action: entry.action,
  subject: entry.subject,
  text: auditText({
    action: entry.action,
    what: subjectText(entry, names),
    detail: { ...entry.detail, blueprint: names.get(String(entry.detail['blueprintId'])) },
  }),
  changes: changesOf(entry.detail).map(({ name, before, after }) => ({
    name: wordsOf(name),
    before: valueText(before, names),
    after: valueText(after, names),
  })),
  detail: entry.detail,
});

const changesOf = (detail: AuditEntry['detail']): readonly AuditChange[] =>
  Array.isArray(detail['changes']) ? (detail['changes'] as readonly AuditChange[]) : [];

function actorName(actor: string, names: Names): string {
  if (actor === 'system') return 'Odette';
  const [, kind, rest = actor] = /^(person|token|device):(.*)$/.exec(actor) ?? [];
  return kind === 'device' ? (names.get(actor) ?? 'A deleted device') : rest;
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  device: 'device',
  integration: 'integration',
  blueprint: 'blueprint',
  channel: 'channel',
  person: 'person',
  token: 'API token',
  fleet_rollout: 'change',
  library_item: 'Okta Verify item of',
  enrollment_code: 'enrollment code of the blueprint',
};

function subjectText({ subject, detail }: AuditEntry, names: Names): string | undefined {
  if (subject === null) return undefined;
  const [, kind = '', rest = ''] = /^([a-z_]+):(.*)$/.exec(subject) ?? [];
  if (kind === 'setup') return 'the setup of an integration';
  if (kind === 'udid') return `a device with the UDID ${rest}`;
  if (kind === 'workflow') return `the workflow ${rest}`;
  const word = KIND_WORDS[kind];
  if (word === undefined) return subject;
  const own = detail['name'] ?? detail['integration'];
  const name = names.get(subject) ?? (typeof own === 'string' ? own : undefined);
  if (name !== undefined) return kind === 'device' ? name : `the ${word} “${name}”`;
  return kind === 'library_item' ? 'a deleted Okta Verify item' : `a deleted ${word.split(' of')[0] ?? word}`;
}

function valueText(value: unknown, names: Names): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value))
    return value.length === 0 ? null : value.map((each) => valueText(each, names)).join(', ');
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return typeof value === 'string' ? (names.get(value) ?? value) : JSON.stringify(value);
}

// The audit trail: listed, exported, and what its filters offer.
import {
  countFoldedUses,
  listAudit,
  type AuditFilter,
  type ListedAuditEntry,
} from '../../adapters/store/base/audit.ts';
import { findAuditNames, listAuditActors } from '../../adapters/store/base/audit-names.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { AUDIT_KINDS, type AuditKind } from '../../domain/audit-kinds.ts';
import type { audit } from '../contract/audit.ts';
import type { Caller } from '../http/caller.ts';
import { sendCsv } from '../http/csv.ts';
import { pageOf, readCursor, timeCursor, writeCursor } from '../http/cursors.ts';
import type { Handlers } from '../http/serve.ts';
import { idsIn, showAuditEntry } from './audit-view.ts';

export const auditHandlers = (): Handlers<typeof audit> => ({
  listAudit: async ({ sql, query, caller }) => {
    const [at, id] = readCursor(timeCursor, query.after) ?? [];
    const after = at !== undefined && id !== undefined ? { at, id } : undefined;
    const filter = auditFilter(query);
    const rows = await listAudit(sql, filter, { after, limit: query.limit + 1 });
    const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.cursorAt, last.id]));
    const uses = filter.isFolded === true ? await countFoldedUses(sql, filter, shown, after?.at) : [];
    const entries = await named(sql, shown, caller);
    return { items: entries.map((entry, index) => ({ ...entry, secretUsesAfter: uses[index] ?? 0 })), next };
  },

  exportAudit: async ({ sql, query, caller, response }) => {
    const head = ['at', 'actor', 'text', 'before', 'after', 'action', 'subject', 'detail'];
    await sendCsv(response, 'audit.csv', head, exportedPages(sql, auditFilter(query), caller));
    return undefined;
  },

  listAuditActors: async ({ sql }) => ({ items: await listAuditActors(sql) }),
});

interface AuditQuery {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly kind?: AuditKind | undefined;
  readonly subject?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly secretUses: 'folded' | 'each';
}

const auditFilter = ({ actor, action, kind, subject, from, until, secretUses }: AuditQuery): AuditFilter => ({
  actor,
  action,
  areas: kind && AUDIT_KINDS[kind],
  subject,
  from: from === undefined ? undefined : new Date(from),
  until: until === undefined ? undefined : new Date(until),
  isFolded: secretUses === 'folded',
});

async function named(sql: Sql, rows: readonly ListedAuditEntry[], caller: Caller) {
  const names = await findAuditNames(sql, [...new Set(rows.flatMap(idsIn))]);
  return rows.map((row) => showAuditEntry({ ...row, subject: subjectFor(caller, row.subject) }, names));
}

/** The handle of a secret is for admins: it is what a forged request would need. */
const subjectFor = (caller: Caller, subject: string | null): string | null =>
  caller.role !== 'admin' && subject?.startsWith('secret:') ? 'secret' : subject;

async function* exportedPages(sql: Sql, filter: AuditFilter, caller: Caller) {
  for (let after: { at: string; id: string } | undefined; ;) {
    const rows = await listAudit(sql, filter, { after, limit: 500 });
    const entries = await named(sql, rows, caller);
    yield entries.map(({ at, actor, actorName, text, changes, action, subject, detail }) => [
      at,
      actor,
      `${actorName} ${text}`,
      changes.map(({ name, before }) => `${name}: ${before ?? 'none'}`).join('; '),
      changes.map((change) => `${change.name}: ${change.after ?? 'none'}`).join('; '),
      action,
      subject,
      JSON.stringify(detail),
    ]);
    const last = rows.at(-1);
    if (rows.length < 500 || !last) return;
    after = { at: last.cursorAt, id: last.id };
  }
}

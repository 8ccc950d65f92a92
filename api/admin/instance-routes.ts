// This installation: status, totals, Apple's push certificate, licenses, audit trail, events.
import {
  findAppsAndBooksToken,
  saveAppsAndBooksToken,
  type AppsAndBooksTokenRow,
} from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { readToken } from '../../adapters/apps-and-books/server-token.ts';
import { listAudit, appendAudit, type AuditFilter } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { readTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import {
  countEnrolledWith,
  currentPushCertificate,
  pushCertificatesInUse,
  storePushCertificate,
  type PushCertificateRow,
} from '../../adapters/store/devices/push-certificates.ts';
import { listSecretFacts, storeSecret } from '../../adapters/store/base/secrets.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { CataloguedError, FAILURES, type FailureCode } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { daysLeft } from './apple-access.ts';
import type { instance } from '../contract/instance.ts';
import { pageOf, readCursor, timeCursor, writeCursor } from '../http/cursors.ts';
import { sendCsv } from '../http/csv.ts';
import type { EventStream } from '../http/event-stream.ts';
import { showFailure } from './failure-view.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import { readPushCertificate } from './push-certificate-file.ts';
import type { Handlers } from '../http/serve.ts';
import { enrollmentLinkOf, secretSet } from './setup-view.ts';
import { alarmsOf, answers, needsOf, partsOf } from './status.ts';

export function instanceHandlers(
  dependencies: AdminDependencies,
  events: EventStream,
): Handlers<typeof instance> {
  const { database, sealer, publicUrl, temporalUiUrl, version, metrics, appsAndBooks, appsAndBooksUrl } =
    dependencies;

  const showAppsAndBooks = async (sql: Sql, token: AppsAndBooksTokenRow) => {
    const facts = await listSecretFacts(sql, [token.secretId]);
    const { organization, expiresAt, setAt } = token;
    const set = secretSet(facts.get(token.secretId)) ?? null;
    return {
      organization,
      expiresAt,
      daysLeft: daysLeft(expiresAt),
      setAt,
      token: set,
      ...(await requestLicenses(appsAndBooks)),
    };
  };
  const showPush = async (sql: Sql, row: PushCertificateRow) => {
    const facts = await listSecretFacts(sql, [row.keySecretId]);
    const { topic, notAfter, setAt, refusedAt } = row;
    const inUse = await pushCertificatesInUse(sql);
    const others = [];
    for (const other of inUse.filter((one) => one.topic !== topic))
      others.push({
        topic: other.topic,
        notAfter: other.notAfter,
        daysLeft: daysLeft(other.notAfter),
        refusedAt: other.refusedAt,
        devices: await countEnrolledWith(sql, other.topic),
      });
    return {
      topic,
      notAfter,
      daysLeft: daysLeft(notAfter),
      setAt,
      refusedAt,
      key: secretSet(facts.get(row.keySecretId)) ?? null,
      others,
    };
  };

  return {
    getStatus: async ({ sql }) => {
      const parts = await partsOf(dependencies);
      const { all } = await readTotals(sql);
      return {
        ready: parts.database && parts.temporal && parts.worker,
        parts,
        version,
        devices: all.devices,
        buckets: all.buckets,
        needs: await needsOf(sql, dependencies),
        alarms: await alarmsOf(sql),
        addresses: {
          publicUrl: publicUrl ?? null,
          enrollmentLink: enrollmentLinkOf(publicUrl),
          temporalUi: temporalUiUrl ?? null,
        },
      };
    },

    getTotals: async ({ sql }) => {
      const { byIntegration } = await readTotals(sql);
      return { items: [...byIntegration].map(([integrationId, totals]) => ({ integrationId, ...totals })) };
    },

    listCatalogue: () =>
      Promise.resolve({ items: (Object.keys(FAILURES) as FailureCode[]).map(showFailure) }),

    getPushCertificate: async ({ sql }) => {
      const row = await currentPushCertificate(sql);
      if (!row) throw new ProblemError('apns.certificate_missing');
      return showPush(sql, row);
    },

    setPushCertificate: async ({ sql, body, caller }) => {
      const { certificatePem, privateKeyPem, topic, notAfter } = readPushCertificate(body);
      const before = await currentPushCertificate(sql);
      const saved = before && before.topic !== topic ? await countEnrolledWith(sql, before.topic) : 0;
      if (before && saved > 0 && body.confirmOtherTopic !== true)
        throw otherTopic(before.topic, topic, saved);
      const secret = await storeSecret(sql, sealer, {
        kind: 'push_key',
        value: privateKeyPem,
        by: caller.actor,
      });
      await storePushCertificate(sql, { topic, certificatePem, keySecretId: secret.id, notAfter });
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'push_certificate.set',
        detail: {
          topic,
          notAfter,
          ...(before &&
            before.topic !== topic && { otherTopicBefore: before.topic, devicesOfOtherTopic: saved }),
        },
      });
      await appendEvent(sql, { kind: 'push_certificate.changed', subject: `topic:${topic}` });
      const row = await currentPushCertificate(sql);
      if (!row) throw new ProblemError('apns.certificate_missing');
      return showPush(sql, row);
    },

    getAppsAndBooks: async ({ sql }) => {
      const token = await findAppsAndBooksToken(sql);
      if (!token) throw new ProblemError('apps_and_books.token_missing');
      return showAppsAndBooks(sql, token);
    },

    setAppsAndBooks: async ({ body, caller }) => {
      const read = readTokenFile(body.token);
      await database.inTransaction(async (sql) => {
        const before = await findAppsAndBooksToken(sql);
        const secret = await storeSecret(sql, sealer, {
          kind: 'apps_and_books_token',
          value: read.token,
          by: caller.actor,
          address: addressOf(appsAndBooksUrl),
          ...(before && { id: before.secretId }),
        });
        const { organization, expiresAt } = read;
        await saveAppsAndBooksToken(sql, { secretId: secret.id, organization, expiresAt });
        await appendAudit(sql, {
          actor: caller.actor,
          action: 'apps_and_books.set',
          detail: { organization, expiresAt },
        });
        await appendEvent(sql, { kind: 'apps_and_books.changed', subject: 'apps_and_books' });
      });
      const token = await findAppsAndBooksToken(database);
      if (!token) throw new ProblemError('apps_and_books.token_missing');
      return showAppsAndBooks(database, token);
    },

    listAudit: async ({ sql, query }) => {
      const [at, id] = readCursor(timeCursor, query.after) ?? [];
      const after = at !== undefined && id !== undefined ? { at, id } : undefined;
      const rows = await listAudit(sql, auditFilter(query), { after, limit: query.limit + 1 });
      const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.cursorAt, last.id]));
      return { items: [...shown], next };
    },

    exportAudit: async ({ sql, query, response }) => {
      await sendCsv(
        response,
        'audit.csv',
        ['at', 'actor', 'action', 'subject', 'detail'],
        auditPages(sql, auditFilter(query)),
      );
      return undefined;
    },

    streamEvents: async ({ query, request, response }) => {
      const cursor = request.get('last-event-id') ?? query.lastEventId;
      await events.open(request, response, { cursor, subjects: query.subject });
      return undefined;
    },

    getHealth: () => Promise.resolve({ ok: true }),
    getReadiness: async () => {
      if (!(await answers(database))) throw new ProblemError('store.unavailable');
      return { ok: true };
    },
    getMetrics: async ({ response }) => {
      const text = await metrics.metrics();
      response.status(200).set('Content-Type', metrics.contentType).send(text);
      return undefined;
    },
  };
}

const otherTopic = (topicBefore: string, topic: string, devices: number): ProblemError =>
  new ProblemError('apns.other_topic', {
    detail: `Its topic is ${topic}; ${devices === 1 ? '1 device is' : `${devices} devices are`} enrolled with ${topicBefore}.`,
    facts: { topic, topicBefore, devices },
  });

function readTokenFile(content: string) {
  try {
    return readToken(content);
  } catch (error) {
    if (error instanceof CataloguedError) throw fieldProblem(error.code, 'token');
    throw error;
  }
}

async function requestLicenses(appsAndBooks: AdminDependencies['appsAndBooks']) {
  try {
    const assets = await (await appsAndBooks()).asset(OKTA_VERIFY.adamId);
    const sum = (part: 'available' | 'total') => assets.reduce((total, asset) => total + asset[part], 0);
    return { licenses: { total: sum('total'), available: sum('available') }, failure: null };
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    return { licenses: null, failure: showFailure(error.code) };
  }
}

interface AuditQuery {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

const auditFilter = ({ actor, action, subject, from, until }: AuditQuery): AuditFilter => ({
  actor,
  action,
  subject,
  from: from === undefined ? undefined : new Date(from),
  until: until === undefined ? undefined : new Date(until),
});

async function* auditPages(sql: Sql, filter: AuditFilter) {
  for (let after: { at: string; id: string } | undefined; ;) {
    const rows = await listAudit(sql, filter, { after, limit: 500 });
    yield rows.map((row) => [row.at, row.actor, row.action, row.subject, JSON.stringify(row.detail)]);
    const last = rows.at(-1);
    if (rows.length < 500 || !last) return;
    after = { at: last.cursorAt, id: last.id };
  }
}

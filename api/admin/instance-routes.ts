// This installation: status, totals, events.
import { randomUUID } from 'node:crypto';
import { writePayload } from '../codec-server.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import { listTrustedDays } from '../../adapters/store/fleet/trusted-days.ts';
import { readTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import { FAILURES, type FailureCode } from '../../domain/failures.ts';
import { MESSAGE_BODIES, wrongFields } from '../../workflows/message-bodies.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { instance } from '../contract/instance.ts';
import type { EventStream } from '../http/event-stream.ts';
import { showFailure } from './failure-view.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import { enrollmentLinkOf } from './setup-view.ts';
import { syncedAt } from './sync-problems.ts';
import { checksOf } from './integration-checks.ts';
import { needsOf } from './installation-needs.ts';
import { onboardingOf, stepsOf } from './next-steps.ts';
import { alarmsOf, answers, partsOf } from './status.ts';

export function instanceHandlers(
  dependencies: AdminDependencies,
  events: EventStream,
): Handlers<typeof instance> {
  const { database, metrics } = dependencies;

  return {
    getStatus: ({ sql }) => readStatus(sql, dependencies),

    getTotals: async ({ sql }) => {
      const { byIntegration } = await readTotals(sql);
      const items = [...byIntegration].map(async ([integrationId, totals]) => ({
        integrationId,
        ...totals,
        asOf: (await findOktaReads(sql, integrationId)).sweptAt,
      }));
      return { items: await Promise.all(items) };
    },

    trustedByDay: async ({ sql, query }) => ({ items: await listTrustedDays(sql, query.days) }),

    listCatalogue: () =>
      Promise.resolve({ items: (Object.keys(FAILURES) as FailureCode[]).map(showFailure) }),

    sealMessage: async ({ sql, body: { workflowId, name, body }, caller }) => {
      // Every message carries an id, by which a workflow drops it when it comes twice.
      const message = { eventId: randomUUID(), ...body };
      // A workflow would ignore it without a word.
      const [wrong] = Object.hasOwn(MESSAGE_BODIES, name) ? wrongFields(name, message) : [];
      if (wrong !== undefined) throw fieldProblem('request.invalid', `body.${wrong}`);
      const payload = dependencies.sealMessage(workflowId, name, message);
      const subject = `workflow:${workflowId}`;
      const action = 'temporal.message_sealed';
      await appendAudit(sql, { actor: caller.actor, action, subject, detail: { name } });
      return { payload: writePayload(payload) };
    },

    streamEvents: async ({ query, caller, request, response }) => {
      const cursor = request.get('last-event-id') ?? query.lastEventId;
      await events.open(response, { caller, cursor, subjects: query.subject });
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

async function readStatus(sql: Sql, dependencies: AdminDependencies) {
  const { consoleUrl, publicUrl, temporalAddress, temporalNamespace, temporalUiUrl, version } = dependencies;
  // Both ask Temporal: one that is away is waited for once.
  const [parts, alarms] = await Promise.all([
    partsOf(dependencies),
    alarmsOf(sql, dependencies.publicUrlTls(), dependencies.temporal),
  ]);
  const { all } = await readTotals(sql);
  const needs = await needsOf(sql, dependencies);
  return {
    ready: parts.database && parts.temporal && parts.worker,
    parts,
    version,
    devices: all.devices,
    buckets: all.buckets,
    asOf: await syncedAt(sql),
    needs: [...needs.missing],
    channels: [...needs.channels],
    steps: await stepsOf(sql, alarms, all.buckets),
    onboarding: await onboardingOf(sql, needs),
    checks: await checksOf(sql),
    alarms,
    addresses: {
      console: consoleUrl,
      api: `${consoleUrl}/openapi.json`,
      publicUrl: publicUrl ?? null,
      enrollmentLink: enrollmentLinkOf(publicUrl),
      temporalUi: temporalUiUrl ?? null,
      temporal: temporalAddress,
      temporalNamespace,
    },
  };
}

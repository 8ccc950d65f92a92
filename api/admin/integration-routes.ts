// Integrations: shown with the health of each connection, changed with the wizard's own checks.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { appsAndBooksClientId } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { checkSourcesOf } from '../../adapters/okta/check-sources.ts';
import { listHaltedReissues, resumeReissues } from '../../adapters/store/rollout/automatic-reissues.ts';
import { previewWaves, startFleetChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { replanRenewals } from '../../adapters/store/rollout/enqueue-rollouts.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import {
  changeIntegration,
  findIntegration,
  listHealth,
  listIntegrations,
  listPlatforms,
  type IntegrationRow,
} from '../../adapters/store/integration/integrations.ts';
import {
  integrationDomains,
  recordIntegrationCheck,
} from '../../adapters/store/integration/integration-checks.ts';
import { deriveAll } from '../../adapters/store/integration/okta-sweeps.ts';
import { reopenEndpoints } from '../../adapters/store/integration/okta-endpoints.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { countReached } from '../../adapters/store/library/scope.ts';
import { listSecretFacts } from '../../adapters/store/base/secrets.ts';
import { findSetup } from '../../adapters/store/integration/setups.ts';
import { haltText, likelyCauses } from '../../domain/automatic-reissue.ts';
import { checkTenant } from '../../domain/integration-check.ts';
import { integrationSettingsOf } from '../../domain/integration-settings.ts';
import { RENEWAL_SETTINGS } from '../../domain/renewal-policy.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { Integration, integrations } from '../contract/integrations.ts';
import { failureOrNull } from './failure-view.ts';
import { ownDomains, showIntegrationCheck } from './integration-checks.ts';
import { setupOfIntegration } from './integration-setup.ts';
import { notFound, ProblemError } from '../http/problem.ts';
import { idFromKey, type Idempotency } from '../http/idempotency.ts';
import { Reply, versionTag, type Handlers } from '../http/serve.ts';
import { dropRefused, sealAnswer } from './setup-sealing.ts';
import { SetupUpdates } from './setup-updates.ts';
import { enrollmentLinkOf, secretSet, showCheck } from './setup-view.ts';

/** What can be answered again by itself; the rest needs a setup that changes the integration. */
const ANSWERED_ALONE = new Set(['okta_domain', 'credentials', 'connect', 'macos', 'ios']);

type IntegrationHandlers<Names extends keyof typeof integrations> = Pick<
  Handlers<typeof integrations>,
  Names
>;

export function integrationHandlers(
  dependencies: AdminDependencies,
  idempotency: Idempotency,
): Handlers<typeof integrations> {
  return {
    ...settingsHandlers(dependencies),
    ...answerHandlers(dependencies, idempotency),
    ...requestHandlers(dependencies),
  };
}

const row = async (sql: Sql, id: string): Promise<IntegrationRow> => {
  const found = await findIntegration(sql, id);
  if (found) return found;
  throw notFound('integration');
};

function settingsHandlers({
  publicUrl,
  allowedPrivateHosts,
}: AdminDependencies): IntegrationHandlers<
  'listIntegrations' | 'getIntegration' | 'getIntegrationImpact' | 'updateIntegration'
> {
  const show = (sql: Sql, integration: IntegrationRow) => showIntegration(sql, integration, publicUrl);
  return {
    listIntegrations: async ({ sql }) => {
      const rows = await listIntegrations(sql);
      return { items: await Promise.all(rows.map((each) => show(sql, each))) };
    },

    getIntegration: async ({ sql, params }) => {
      const found = await row(sql, params.id);
      return new Reply(await show(sql, found), { headers: { ETag: versionTag(found.changedAt.getTime()) } });
    },

    getIntegrationImpact: async ({ sql, params }) => {
      const reached = await countReached(sql, (await row(sql, params.id)).id);
      return { ...reached, waves: await previewWaves(sql, reached.macOS + reached.iOS, []) };
    },

    updateIntegration: async ({ sql, params, body, caller, assertVersion }) => {
      const before = await row(sql, params.id);
      assertVersion(before.changedAt.getTime());
      const settings = body.settings && withoutUndefined(body.settings);
      const domains = await ownDomains(before, settings?.furtherDomains, allowedPrivateHosts);
      if (settings && domains) settings.furtherDomains = domains;
      const known = integrationSettingsOf(before.settings);
      const after = { ...known, ...settings };
      if (after.renewalWindowEnd >= after.renewalWindowStart)
        throw new ProblemError('request.invalid', {
          errors: [
            {
              field: 'settings.renewalWindowEnd',
              reason: 'must be smaller than the fraction at which the renewal starts',
              code: 'custom',
            },
          ],
        });
      await changeIntegration(sql, params.id, { name: body.name, settings });
      const subject = `integration:${params.id}`;
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'integration.changed',
        subject,
        detail: {
          name: body.name,
          settings,
          changes: changesBetween({ ...known, name: before.name }, { name: body.name, ...settings }),
        },
      });
      await appendEvent(sql, { kind: 'integration.changed', subject });
      await appendOutboxMessage(sql, params.id, { kind: 'sweeps', integrationId: params.id, wanted: true });
      // Certificate workflows sleep until the time that they planned with the old numbers.
      if (after.countsAnyUser !== known.countsAnyUser) await deriveAll(sql, params.id);
      if (RENEWAL_SETTINGS.some((name) => after[name] !== known[name])) await replanRenewals(sql, params.id);
      if (String(after.furtherDomains) !== String(known.furtherDomains))
        await startFleetChange(sql, {
          kind: 'integration',
          integrationId: params.id,
          subject,
          reason: 'an admin changed the custom domains',
          by: caller.actor,
          which: [{ integrationId: params.id }],
        });
      return show(sql, await row(sql, params.id));
    },
  };
}

/** One answer of the wizard, given again by itself. */
function answerHandlers(
  dependencies: AdminDependencies,
  idempotency: Idempotency,
): IntegrationHandlers<'answerIntegration'> {
  const { database, publicUrl, temporal } = dependencies;
  const updates = new SetupUpdates(temporal);
  const show = (sql: Sql, integration: IntegrationRow) => showIntegration(sql, integration, publicUrl);
  return {
    answerIntegration: async ({ sql, params, body, caller, idempotencyKey }) => {
      if (!ANSWERED_ALONE.has(body.step))
        throw new ProblemError('setup.wrong_step', {
          detail: 'Start a setup for this integration (POST /api/setups with integrationId) to change this.',
        });
      const integration = await row(sql, params.id);
      const isRepeatable = idempotencyKey !== undefined;
      const setupId = isRepeatable ? idFromKey(caller.id, idempotencyKey) : randomUUID();
      const answerId = idempotencyKey ?? setupId;
      const shown = async () => show(sql, await row(sql, params.id));
      const later = () => {
        const at = `/api/setups/${setupId}/answers/${encodeURIComponent(answerId)}`;
        const headers = { Location: at, 'Retry-After': '2' };
        return new Reply({ setupId, answerId, checking: true as const }, { isLater: true, headers });
      };
      if (isRepeatable) {
        const path = `/api/integrations/${params.id}/answers`;
        await idempotency.bind({ caller: caller.id, key: idempotencyKey, method: 'POST', path, body });
        // Before anything is sealed: what was done for this key is told, not done again.
        const known = await findSetup(sql, setupId);
        if (known?.state.status === 'complete') return shown();
        const ended = known ? await updates.recall(setupId, answerId) : 'unknown';
        if (ended !== 'unknown') return ended ? shown() : later();
        if (known && known.state.status !== 'open') throw new ProblemError('setup.not_open');
      }
      const state = setupOfIntegration(setupId, integration, await listPlatforms(sql, params.id));
      const sealed = await sealAnswer(dependencies, body, state, caller.actor);
      const input = { state, takesOneAnswer: true };
      try {
        await updates.begin(sql, input, caller.actor);
        const sent = { setupId, answerId, answer: sealed.answer, actor: caller.actor };
        return (await updates.answer(sql, sent, input)) ? await shown() : later();
      } catch (error) {
        await dropRefused(database, sealed, error);
        throw error;
      }
    },
  };
}

function requestHandlers({
  database,
  ...outside
}: AdminDependencies): IntegrationHandlers<'resumeReissues' | 'checkIntegration'> {
  return {
    resumeReissues: async ({ sql, params, body, caller }) => {
      const { id } = await row(sql, params.id);
      const which = { integrationId: id, platform: body.platform, actor: caller.actor };
      const devices = await resumeReissues(sql, which);
      if (devices === undefined)
        throw new ProblemError('request.conflict', { detail: 'Re-issues are not halted on this platform.' });
      return { devices };
    },

    checkIntegration: async ({ sql, params, caller }) => {
      const integration = await row(sql, params.id);
      const platforms = await listPlatforms(sql, params.id);
      // A person asks, perhaps because they put something right: the question is the canary.
      await reopenEndpoints(database, params.id, 'all');
      const check = await checkTenant(
        integrationDomains(integration),
        checkSourcesOf(integration, platforms, {
          ...outside,
          appsAndBooksId: () => appsAndBooksClientId(database),
        }),
      );
      await database.inTransaction(async (inOne) => {
        await recordIntegrationCheck(inOne, params.id, check);
        await appendAudit(inOne, {
          actor: caller.actor,
          action: 'integration.checked',
          subject: `integration:${params.id}`,
        });
      });
      if (check.failureCode !== null) throw new ProblemError(check.failureCode);
      return { items: check.prerequisites.map(showCheck) };
    },
  };
}

async function showIntegration(
  sql: Sql,
  integration: IntegrationRow,
  publicUrl: string | undefined,
): Promise<z.input<typeof Integration>> {
  const platforms = await listPlatforms(sql, integration.id);
  const handles = [integration.credentialsSecretId, ...platforms.map(({ secretId }) => secretId)];
  const facts = await listSecretFacts(sql, handles);
  const mac = platforms.find(({ platform }) => platform === 'macOS');
  const ios = platforms.find(({ platform }) => platform === 'iOS');
  const secret = (id: string) => secretSet(facts.get(id)) ?? null;
  const settings = integrationSettingsOf(integration.settings);
  return {
    id: integration.id,
    name: integration.name,
    orgId: integration.oktaOrgId,
    host: integration.oktaHost,
    channel: integration.channel,
    customDomain: integration.customDomain,
    credentialsKind: integration.credentialsKind,
    clientId: integration.clientId,
    credentials: secret(integration.credentialsSecretId),
    grantedScopes: [...integration.grantedScopes],
    macOS: mac
      ? {
          scepUrl: mac.scepUrl ?? '',
          challengeUrl: mac.challengeUrl ?? '',
          username: mac.challengeUsername ?? '',
          password: secret(mac.secretId),
        }
      : null,
    iOS: ios ? { providerName: ios.providerName ?? '', secretKey: secret(ios.secretId) } : null,
    enrollmentLink: enrollmentLinkOf(publicUrl),
    settings: {
      ...settings,
      trustLookupSeconds: [...settings.trustLookupSeconds],
      furtherDomains: [...settings.furtherDomains],
    },
    health: (await listHealth(sql, integration.id)).map(({ connection, ok, failureCode, at }) => ({
      connection,
      ok,
      failure: failureOrNull(failureCode),
      at,
    })),
    haltedReissues: (await listHaltedReissues(sql, integration.id)).map((halted) => ({
      platform: halted.platform,
      reason: halted.reason,
      haltedAt: halted.haltedAt,
      text: haltText(halted),
      likelyCauses: [...likelyCauses(halted.platform)],
      held: halted.held,
    })),
    check: await showIntegrationCheck(sql, integration.id),
    createdAt: integration.createdAt,
    changedAt: integration.changedAt,
  };
}

const withoutUndefined = <Shape extends object>(
  value: Shape,
): { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;

// What the wizard writes when a step is answered, and when it is complete.
import { appendAudit } from '../adapters/store/base/audit.ts';
import { startFleetChange } from '../adapters/store/rollout/fleet-rollout-start.ts';
import type { Sql } from '../adapters/store/base/database.ts';
import { appendEvent } from '../adapters/store/base/events.ts';
import {
  findIntegration,
  findIntegrationOfOrg,
  listPlatforms,
  recordHealth,
  saveIntegration,
  savePlatform,
} from '../adapters/store/integration/integrations.ts';
import { deleteAuthority, recordIntegrationCheck } from '../adapters/store/integration/integration-checks.ts';
import { reopenEndpoints } from '../adapters/store/integration/okta-endpoints.ts';
import { appendOutboxMessage } from '../adapters/store/base/outbox.ts';
import { findAnswerer, findSetup, saveSetup } from '../adapters/store/integration/setups.ts';
import type { Platform } from '../domain/device.ts';
import { CataloguedError } from '../domain/failures.ts';
import { CHALLENGE_ENDPOINT } from '../domain/okta-budget.ts';
import {
  answerTo,
  channelOf,
  isAnswered,
  type Refusal,
  type SetupState,
  type SetupStep,
} from '../domain/setup-wizard.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function setupRecords({ database }: Pick<ActivityDependencies, 'database'>) {
  return {
    /** What the admin sees is a table: written after each step, with its audit row and event. false: the setup is over. */
    async saveSetupState(input: {
      readonly state: SetupState;
      readonly answerId: string | null;
      readonly action: string;
      readonly step?: string;
    }): Promise<boolean> {
      const { state, action } = input;
      return database.inTransaction(async (sql) => {
        const actor = await actorOf(sql, state.setupId, input.answerId);
        if (!(await saveSetup(sql, state))) return false;
        await appendStep(sql, state, { actor, action, step: input.step ?? state.step });
        return true;
      });
    },

    /** Writes the integration; done once, however often it is tried. */
    async completeSetup(input: {
      readonly state: SetupState;
      readonly answerId: string | null;
    }): Promise<{ readonly refusal?: Refusal }> {
      const { state } = input;
      return database.inTransaction(async (sql) => {
        const actor = await actorOf(sql, state.setupId, input.answerId);
        const saved = await findSetup(sql, state.setupId);
        if (saved?.state.status === 'complete') return {};
        if (saved?.state.status !== 'open') return { refusal: { code: 'setup.not_open' } };
        const other = await findIntegrationOfOrg(sql, state.tenant?.orgId ?? '');
        if (other && other.id !== state.integrationId)
          return { refusal: { code: 'setup.integration_exists' } };
        const { changed, touched } = await writeIntegration(sql, state);
        await saveSetup(sql, state);
        await appendStep(sql, state, { actor, action: 'setup.completed', step: 'complete' });
        const subject = `integration:${changed}`;
        await appendAudit(sql, {
          actor,
          action: state.amends ? 'integration.changed' : 'integration.added',
          subject,
        });
        await appendEvent(sql, { kind: 'integration.changed', subject });
        if (state.amends) await deleteAuthority(sql, changed);
        await appendOutboxMessage(sql, changed, {
          kind: 'sweeps',
          integrationId: changed,
          wanted: true,
          // A new integration was checked a moment ago.
          ...(state.amends && { checksNow: true }),
        });
        if (!state.amends)
          await recordIntegrationCheck(sql, changed, {
            prerequisites: state.prerequisites,
            customDomain: state.tenant?.customDomain ?? null,
            strayDomains: [],
            authority: null,
            failureCode: null,
          });
        if (state.amends && touched.size > 0)
          await startFleetChange(sql, {
            kind: 'integration',
            integrationId: changed,
            subject,
            reason: 'the integration was changed',
            by: actor,
            which: [...touched].map((platform) => ({ integrationId: changed, platform })),
          });
        return {};
      });
    },
  };
}

/** As the API wrote it down before it sent the answer; what came by another way has no name. */
const actorOf = async (sql: Sql, setupId: string, answerId: string | null): Promise<string> =>
  (answerId === null ? undefined : await findAnswerer(sql, setupId, answerId)) ?? 'system';

async function appendStep(
  sql: Sql,
  state: SetupState,
  what: { readonly actor: string; readonly action: string; readonly step: SetupStep | string },
): Promise<void> {
  const subject = `setup:${state.setupId}`;
  await appendAudit(sql, { actor: what.actor, action: what.action, subject, detail: { step: what.step } });
  await appendEvent(sql, {
    kind: 'setup.step_changed',
    subject,
    data: { step: state.step, status: state.status },
  });
}

/**
 * Only what was answered in this setup: another may have changed the rest since it began.
 * @returns the integration's id, and the platforms on whose devices a payload changes: credentials and a challenge password are in none
 */
async function writeIntegration(
  sql: Sql,
  state: SetupState,
): Promise<{ readonly changed: string; readonly touched: ReadonlySet<Platform> }> {
  const { tenant, integrationId } = state;
  const install = answerTo(state, 'credentials_kind');
  const credentials = answerTo(state, 'credentials');
  if (!tenant || integrationId === undefined || !install || !credentials)
    throw new CataloguedError('setup.wrong_step');
  const before = await findIntegration(sql, integrationId);
  const isElsewhere =
    before?.oktaHost !== tenant.host || before.customDomain !== (tenant.customDomain ?? null);
  if (isAnswered(state, 'get_started', 'okta_domain', 'credentials_kind', 'credentials')) {
    await saveIntegration(sql, {
      id: integrationId,
      name: tenant.customDomain ?? tenant.host,
      oktaOrgId: tenant.orgId,
      oktaHost: tenant.host,
      customDomain: tenant.customDomain ?? null,
      channel: channelOf(state),
      credentialsKind: install.credentialsKind,
      clientId: credentials.clientId,
      // A rotation may have replaced what this setup began with.
      credentialsSecretId: isAnswered(state, 'credentials')
        ? credentials.secretId
        : (before?.credentialsSecretId ?? credentials.secretId),
      grantedScopes: state.grantedScopes ?? [],
    });
    await recordHealth(sql, integrationId, 'okta', undefined);
    await reopenEndpoints(sql, integrationId, 'all');
  }
  const platforms = await writePlatforms(sql, integrationId, state);
  return { changed: integrationId, touched: isElsewhere ? new Set(['macOS', 'iOS']) : platforms };
}

/** Returns those on whose devices a payload changes. */
async function writePlatforms(sql: Sql, integrationId: string, state: SetupState): Promise<Set<Platform>> {
  const touched = new Set<Platform>();
  const platforms = await listPlatforms(sql, integrationId);
  const platformBefore = (name: Platform) => platforms.find(({ platform }) => platform === name);
  const chosen = channelOf(state) === 'observe_only' ? [] : (answerTo(state, 'platforms')?.platforms ?? []);
  const none = { scepUrl: null, challengeUrl: null, challengeUsername: null, providerName: null };
  const mac = answerTo(state, 'macos');
  if (chosen.includes('macOS') && mac && isAnswered(state, 'macos')) {
    const { scepUrl, challengeUrl, username, secretId } = mac;
    if (platformBefore('macOS') === undefined) touched.add('macOS');
    await savePlatform(sql, {
      ...none,
      integrationId,
      platform: 'macOS',
      scepUrl,
      challengeUrl,
      challengeUsername: username,
      secretId,
    });
    await recordHealth(sql, integrationId, 'scep', undefined);
    await recordHealth(sql, integrationId, 'challenge', undefined);
    await reopenEndpoints(sql, integrationId, CHALLENGE_ENDPOINT);
  }
  const ios = answerTo(state, 'ios');
  if (chosen.includes('iOS') && ios && isAnswered(state, 'ios')) {
    const { providerName, secretId } = ios;
    if (platformBefore('iOS')?.secretId !== secretId) touched.add('iOS');
    await savePlatform(sql, { ...none, integrationId, platform: 'iOS', providerName, secretId });
  }
  return touched;
}

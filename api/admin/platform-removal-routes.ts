// The removal of a platform or an integration over the API. The workflow does it; what people say is written here, with its outbox row.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import {
  findIntegration,
  listPlatforms,
  type IntegrationRow,
} from '../../adapters/store/integration/integrations.ts';
import { findOktaReads } from '../../adapters/store/integration/okta-reads.ts';
import { countReached } from '../../adapters/store/library/scope.ts';
import { rollOutDevices } from '../../adapters/store/rollout/enqueue-rollouts.ts';
import {
  addPlatformRemoval,
  countRemoval,
  findPlatformRemoval,
  giveBack,
  listPlatformRemovals,
  listUsersOfPlatform,
  lockPlatformRemoval,
  removalMessage,
  setRemovalStatus,
  type PlatformRemovalRow,
} from '../../adapters/store/rollout/platform-removals.ts';
import type { Platform } from '../../domain/device.ts';
import { integrationSettingsOf } from '../../domain/integration-settings.ts';
import { removalPhrase, statusAfter } from '../../domain/platform-removal.ts';
import type { platformRemovals } from '../contract/platform-removals.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

export function platformRemovalHandlers(): Handlers<typeof platformRemovals> {
  return {
    previewPlatformRemoval,

    removePlatform: async ({ sql, params, body, caller }) => {
      const { platform } = body;
      const integration = await removable(sql, params.id, platform);
      const phrase = removalPhrase(integration.oktaHost, platform);
      if (body.confirmation.trim() !== phrase)
        throw fieldProblem('removal.not_confirmed', 'confirmation', { detail: `Type: ${phrase}` });
      const users = await listUsersOfPlatform(sql, integration.id, platform);
      if (!body.policyIsLifted)
        throw fieldProblem('removal.policy_in_force', 'policyIsLifted', { detail: lockoutText(users) });
      const id = randomUUID();
      const reason = body.reason ?? null;
      const isNew = await addPlatformRemoval(sql, {
        id,
        integrationId: integration.id,
        integrationName: integration.name,
        oktaHost: integration.oktaHost,
        platform,
        usersLosingTrust: users.total,
        readinessAsOf: (await findOktaReads(sql, integration.id)).sweptAt,
        askedBy: caller.actor,
        delayMinutes: delayOf(integration),
        reason,
      });
      if (!isNew)
        throw new ProblemError('request.conflict', {
          detail: 'A removal of this integration is under way. Undo it, or wait until it finishes.',
        });
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'removal.asked',
        subject: `integration:${integration.id}`,
        detail: {
          removalId: id,
          integration: integration.name,
          platform,
          usersLosingTrust: users.total,
          reason,
        },
      });
      return told(sql, id);
    },

    listPlatformRemovals: async ({ sql, query }) => {
      const rows = await listPlatformRemovals(sql, query.integrationId);
      return { items: await Promise.all(rows.map((row) => show(sql, row))) };
    },

    getPlatformRemoval: async ({ sql, params }) => {
      const row = await findPlatformRemoval(sql, params.id);
      if (!row) throw notFound('removal');
      return show(sql, row);
    },

    changePlatformRemoval: async ({ sql, params, body, caller }) => {
      const row = await lockPlatformRemoval(sql, params.id);
      if (!row) throw notFound('removal');
      const status = statusAfter(row.status, body.action);
      if (status === undefined)
        throw new ProblemError('request.conflict', { detail: `The removal is ${row.status}.` });
      const { failed } = await countRemoval(sql, row);
      await setRemovalStatus(sql, row.id, {
        status,
        actor: caller.actor,
        ...(body.action === 'all_at_once' && { isAtOnce: true }),
        // Whoever lets it go on has seen what failed.
        ...(body.action === 'resume' && { accepted: failed }),
      });
      if (status === 'undone') {
        const deviceIds = await giveBack(sql, row.id);
        await rollOutDevices(sql, [{ deviceIds }], 'an admin undid the removal');
      }
      await appendAudit(sql, {
        actor: caller.actor,
        action: `removal.${body.action}`,
        subject: `integration:${row.integrationId}`,
        detail: { removalId: row.id, platform: row.platform },
      });
      return told(sql, row.id);
    },
  };
}

const previewPlatformRemoval: Handlers<typeof platformRemovals>['previewPlatformRemoval'] = async ({
  sql,
  params,
  body,
}) => {
  const integration = await removable(sql, params.id, body.platform);
  const { sweptAt } = await findOktaReads(sql, integration.id);
  const users = await listUsersOfPlatform(sql, integration.id, body.platform);
  const reached = await countReached(sql, integration.id);
  const devices = {
    macOS: body.platform === 'iOS' ? 0 : reached.macOS,
    iOS: body.platform === 'macOS' ? 0 : reached.iOS,
  };
  return {
    devices,
    usersLosingTrust: [...users.logins],
    usersLosingTrustTotal: users.total,
    asOf: sweptAt,
    confirmation: removalPhrase(integration.oktaHost, body.platform),
    startsInMinutes: delayOf(integration),
  };
};

const delayOf = ({ settings }: IntegrationRow): number => integrationSettingsOf(settings).removalDelayMinutes;

async function removable(sql: Sql, id: string, platform: Platform | null): Promise<IntegrationRow> {
  const integration = await findIntegration(sql, id);
  if (!integration) throw notFound('integration');
  const platforms = await listPlatforms(sql, id);
  if (platform !== null && !platforms.some((each) => each.platform === platform))
    throw new ProblemError('request.conflict', { detail: `${platform} is not configured.` });
  return integration;
}

export const lockoutText = ({
  total,
  logins,
}: {
  readonly total: number;
  readonly logins: readonly string[];
}): string =>
  total === 0
    ? 'Odette knows of no user who would be locked out, but a policy that requires managed devices would deny access from these devices.'
    : `Would be locked out: ${logins.slice(0, 5).join(', ')}${total > 5 ? ` and ${total - 5} more` : ''}.`;

/** The workflow is started, or told to look. */
async function told(sql: Sql, id: string) {
  const row = await findPlatformRemoval(sql, id);
  if (!row) throw notFound('removal');
  await appendOutboxMessage(sql, id, removalMessage(row));
  await appendEvent(sql, { kind: 'removal.changed', subject: `integration:${row.integrationId}` });
  return show(sql, row);
}

async function show(
  sql: Sql,
  row: PlatformRemovalRow,
): Promise<z.input<(typeof platformRemovals)['getPlatformRemoval']['response']>> {
  const isOver = row.status === 'finished' || row.status === 'undone';
  const { left, taken, done, failed, silent, pending } = await countRemoval(sql, row);
  return {
    id: row.id,
    integration: { id: row.integrationId, name: row.integrationName, host: row.oktaHost },
    platform: row.platform,
    status: row.status,
    reason: row.reason,
    usersLosingTrust: row.usersLosingTrust,
    askedBy: row.askedBy,
    askedAt: row.askedAt,
    startsAt: row.startsAt,
    isAtOnce: row.isAtOnce,
    left: isOver ? 0 : left,
    taken,
    done,
    failed,
    silent,
    pending,
    finishedAt: row.finishedAt,
  };
}

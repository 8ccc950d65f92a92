// The library item "Okta Verify": saving it starts what must be started, in the same transaction.
import { randomUUID } from 'node:crypto';
import { startFleetChange, type StartedChange } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { listUsersLosingTrust } from '../../adapters/store/library/item-preview.ts';
import { setRemovalTerms } from '../../adapters/store/rollout/removal.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import {
  assignBlueprints,
  findLibraryItem,
  findTakenBlueprints,
  listLibraryItems,
  lockLibraryItem,
  saveLibraryItem,
  removeLibraryItem,
  type LibraryItemRow,
} from '../../adapters/store/library/library.ts';
import { integrationSettingsOf } from '../../domain/integration-settings.ts';
import { SWITCH_CONFIRMATION } from '../../domain/payload-table.ts';
import type { ItemSettings } from '../../domain/payload-set.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import type { ReadBody } from '../contract/endpoint.ts';
import type { library } from '../contract/library.ts';
import { hasItem, previewItem, showItem } from './library-view.ts';
import { lockoutText } from './platform-removal-routes.ts';
import { fieldProblem, notFound } from '../http/problem.ts';
import { Reply, versionTag, type Handlers } from '../http/serve.ts';

type SaveItem = ReadBody<(typeof library)['saveLibraryItem']>;

export function libraryHandlers({ appsAndBooks }: AdminDependencies): Handlers<typeof library> {
  const find = async (sql: Sql, id: string): Promise<LibraryItemRow> => {
    const item = await findLibraryItem(sql, id);
    if (item) return item;
    throw notFound('library item');
  };
  const showVersioned = async (sql: Sql, item: LibraryItemRow) =>
    new Reply(await showItem(sql, item), { headers: { ETag: versionTag(item.version) } });

  return {
    listLibraryItems: async ({ sql }) => {
      const items = await listLibraryItems(sql);
      return { items: await Promise.all(items.map((item) => showItem(sql, item))) };
    },

    getLibraryItem: async ({ sql, params }) => showVersioned(sql, await find(sql, params.id)),

    createLibraryItem: async ({ sql, body, caller }) => {
      const id = randomUUID();
      await save(sql, id, body, undefined, caller.actor);
      return showVersioned(sql, await find(sql, id));
    },

    saveLibraryItem: async ({ sql, params, body, caller, assertVersion }) => {
      await lockLibraryItem(sql, params.id);
      const before = await find(sql, params.id);
      assertVersion(before.version);
      await save(sql, params.id, body, before, caller.actor);
      return showVersioned(sql, await find(sql, params.id));
    },

    deleteLibraryItem: async ({ sql, params, query, caller, assertVersion }) => {
      await lockLibraryItem(sql, params.id);
      const before = await find(sql, params.id);
      assertVersion(before.version);
      await assertNobodyLockedOut(sql, before, [], query.confirmPolicyIsLifted);
      await removeLibraryItem(sql, params.id);
      const blueprintIds = before.blueprints.map(({ id }) => id);
      const subject = `library_item:${params.id}`;
      const { devices, fleetRolloutId } = await startFleetChange(sql, {
        kind: 'library_item',
        integrationId: before.integrationId,
        subject,
        reason: 'an admin removed the library item',
        by: caller.actor,
        which: [{ blueprintIds }],
      });
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'library_item.removed',
        subject,
        detail: { devices, fleetRolloutId },
      });
      await appendEvent(sql, { kind: 'library_item.changed', subject });
      return undefined;
    },

    previewLibraryItem: async ({ sql, body }) => {
      const before = body.libraryItemId === undefined ? undefined : await find(sql, body.libraryItemId);
      return previewItem(sql, body, before, appsAndBooks);
    },
  };
}

async function save(
  sql: Sql,
  id: string,
  body: SaveItem,
  before: LibraryItemRow | undefined,
  actor: string,
): Promise<void> {
  const integration = await findIntegration(sql, body.integrationId);
  if (!integration) throw fieldProblem('request.not_found', 'integrationId');
  if (integration.channel === 'observe_only')
    throw fieldProblem('request.conflict', 'integrationId', {
      detail:
        'This integration observes only: Odette delivers nothing for it. Change that in its setup first.',
    });
  if (body.deviceTrustOn && !before?.deviceTrustOn && !body.confirmAppConfigurationOverride)
    throw fieldProblem('library.confirmation_needed', 'confirmAppConfigurationOverride', {
      detail: SWITCH_CONFIRMATION,
    });
  if (before)
    await assertNobodyLockedOut(
      sql,
      before,
      body.deviceTrustOn ? body.blueprintIds : [],
      body.confirmPolicyIsLifted,
    );
  const taken = await findTakenBlueprints(sql, id, body.blueprintIds);
  if (taken.length > 0)
    throw fieldProblem('library.blueprint_taken', 'blueprintIds', { detail: taken.join(', ') });
  const { integrationId, deviceTrustOn, appConfiguration } = body;
  // Undefined fields are left out by JSON.
  const settings = body.settings as ItemSettings;
  await saveLibraryItem(sql, { id, integrationId, deviceTrustOn, appConfiguration, settings });
  const leaving = (before?.blueprints ?? []).filter((each) => !body.blueprintIds.includes(each.id));
  if (before?.deviceTrustOn === true && leaving.length > 0)
    await setRemovalTerms(
      sql,
      leaving.map((each) => each.id),
      {
        delayMinutes: integrationSettingsOf(integration.settings).removalDelayMinutes,
        removesApp: settings.removeAppOnRemoval ?? false,
      },
    );
  await assignBlueprints(sql, id, body.blueprintIds);

  const subject = `library_item:${id}`;
  const { devices, fleetRolloutId } = await rollOutChanged(sql, body, before, { subject, by: actor });
  const detail = {
    integrationId,
    deviceTrustOn,
    wasOn: before?.deviceTrustOn ?? false,
    blueprintIds: body.blueprintIds,
    devices,
    fleetRolloutId,
    changes: changesOf(before, { ...body, settings }),
  };
  await appendAudit(sql, {
    actor,
    action: before ? 'library_item.saved' : 'library_item.added',
    subject,
    detail,
  });
  await appendEvent(sql, { kind: 'library_item.changed', subject });
}

const changesOf = (before: LibraryItemRow | undefined, after: Parameters<typeof audited>[0]) =>
  before === undefined
    ? []
    : changesBetween(
        audited({ ...before, blueprintIds: before.blueprints.map(({ id }) => id) }),
        audited(after),
      );

/** What the audit trail compares. Of an app configuration its keys alone: a value may be a secret. */
const audited = (item: {
  readonly deviceTrustOn: boolean;
  readonly blueprintIds: readonly string[];
  readonly appConfiguration: object | null;
  readonly settings: ItemSettings;
}) => ({
  oktaDeviceTrust: item.deviceTrustOn,
  blueprints: item.blueprintIds.toSorted(),
  appConfiguration: item.appConfiguration && Object.keys(item.appConfiguration).toSorted(),
  ...item.settings,
});

/** Users whom a policy of Okta's may lock out are named first. @throws ProblemError `library.policy_in_force` */
async function assertNobodyLockedOut(
  sql: Sql,
  before: LibraryItemRow,
  remainingBlueprintIds: readonly string[],
  isLifted: boolean,
): Promise<void> {
  if (isLifted || !before.deviceTrustOn) return;
  const losing = await listUsersLosingTrust(sql, before.id, remainingBlueprintIds);
  if (losing.total > 0)
    throw fieldProblem('library.policy_in_force', 'confirmPolicyIsLifted', { detail: lockoutText(losing) });
}

/** Starts the devices whose desired state this save changes: those that join or leave, and those that stay and get something else. */
async function rollOutChanged(
  sql: Sql,
  body: SaveItem,
  before: LibraryItemRow | undefined,
  { subject, by }: { readonly subject: string; readonly by: string },
): Promise<StartedChange> {
  const wasOn = before?.deviceTrustOn ?? false;
  if (!body.deviceTrustOn && !wasOn) return { devices: 0, fleetRolloutId: null };
  const had = before?.blueprints.map(({ id }) => id) ?? [];
  const has = body.deviceTrustOn ? hasItem(before, body) : { blueprintIds: [], touched: [] };
  const stays = has.blueprintIds.filter((id) => body.blueprintIds.includes(id));
  const moving = [...new Set([...had, ...body.blueprintIds])].filter((id) => !stays.includes(id));
  return startFleetChange(sql, {
    kind: 'library_item',
    integrationId: body.integrationId,
    subject,
    reason: 'an admin saved the library item',
    by,
    which: [{ blueprintIds: moving }, ...has.touched.map((platform) => ({ blueprintIds: stays, platform }))],
  });
}

// The library item as the console shows it, and the preview of saving it.
import type { z } from 'zod';
import type { AppsAndBooksClient } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import { previewWaves, TEST_BLUEPRINT } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { freeBlueprintName } from '../../adapters/store/library/blueprints.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { findIntegration, listPlatforms } from '../../adapters/store/integration/integrations.ts';
import {
  countArriving,
  countLeaving,
  listUsersLosingTrust,
  suggestTestDevices,
  wasEverDelivered,
  type HasItem,
} from '../../adapters/store/library/item-preview.ts';
import {
  countItemBuckets,
  listForeignInstallations,
  type LibraryItemRow,
} from '../../adapters/store/library/library.ts';
import { currentPushCertificate } from '../../adapters/store/devices/push-certificates.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { CataloguedError, FAILURES, type FailureCode } from '../../domain/failures.ts';
import { integrationSettingsOf } from '../../domain/integration-settings.ts';
import {
  appliesToPlatforms,
  FOREIGN_APP_REASON,
  PAYLOAD_TABLE,
  SWITCH_CONFIRMATION,
} from '../../domain/payload-table.ts';
import { platformsTouchedBy, type ItemSettings } from '../../domain/payload-set.ts';
import { BUCKETS } from '../../domain/trust-bucket.ts';
import { neededByChannels, pushTroubles, tokenTrouble, type AppleTrouble } from './apple-access.ts';
import type { ReadBody } from '../contract/endpoint.ts';
import type { ItemPreview, library, LibraryItem } from '../contract/library.ts';
import { showFailure } from './failure-view.ts';
import { notFound } from '../http/problem.ts';

type SaveItem = ReadBody<(typeof library)['previewLibraryItem']>;

export async function showItem(sql: Sql, item: LibraryItemRow): Promise<z.input<typeof LibraryItem>> {
  const integration = await findIntegration(sql, item.integrationId);
  const platforms = (await listPlatforms(sql, item.integrationId)).map(({ platform }) => platform);
  const buckets = await countItemBuckets(sql, item.id);
  return {
    id: item.id,
    name: 'Okta Verify',
    integrationId: item.integrationId,
    installType: 'install_and_continuously_enforce',
    deviceTrustOn: item.deviceTrustOn,
    appConfiguration: item.appConfiguration as z.input<typeof LibraryItem>['appConfiguration'],
    settings: item.settings as z.input<typeof LibraryItem>['settings'],
    overridesAppConfiguration: item.deviceTrustOn,
    families: platforms.flatMap((platform) =>
      platform === 'macOS' ? ['Mac' as const] : ['iPhone' as const, 'iPad' as const],
    ),
    oktaDomain: integration?.customDomain ?? integration?.oktaHost ?? '',
    blueprints: [...item.blueprints],
    payloads: PAYLOAD_TABLE.map((payload) => ({
      ...payload,
      platforms: [...payload.platforms],
      applies: item.deviceTrustOn && appliesToPlatforms(payload, platforms),
    })),
    buckets: Object.fromEntries(BUCKETS.map((bucket) => [bucket, buckets.get(bucket) ?? 0])) as Record<
      (typeof BUCKETS)[number],
      number
    >,
    notFromAppStore: { reason: FOREIGN_APP_REASON, devices: await listForeignInstallations(sql, item.id) },
    version: item.version,
    changedAt: item.changedAt,
  };
}

const state = (problems: readonly Pick<AppleTrouble, 'code' | 'text'>[]) => ({
  ok: problems.length === 0,
  failure: problems[0] ? showFailure(problems[0].code) : null,
  text: problems.length === 0 ? null : problems.map(({ text }) => text).join(' '),
});

const failed = (code: FailureCode) => ({ code, text: FAILURES[code].title });

/** null: no device of this installation is woken by Odette. */
async function pushState(sql: Sql) {
  if (!(await neededByChannels(sql)).has('push_certificate')) return null;
  const isThere = (await currentPushCertificate(sql)) !== undefined;
  return state(isThere ? await pushTroubles(sql) : [failed('apns.certificate_missing')]);
}

/** What Apple says of it now comes before when it will end. */
async function tokenState(sql: Sql, refused: FailureCode | undefined) {
  const problem = refused === undefined ? await tokenTrouble(sql) : failed(refused);
  return state(problem ? [problem] : []);
}

async function licenses(appsAndBooks: () => Promise<AppsAndBooksClient>) {
  try {
    const assets = await (await appsAndBooks()).asset(OKTA_VERIFY.adamId);
    return { left: assets.reduce((sum, asset) => sum + asset.available, 0), code: undefined };
  } catch (error) {
    if (error instanceof CataloguedError) return { left: null, code: error.code };
    throw error;
  }
}

/** On which devices this item, switched on, is already, and on which of them saving it changes something. */
export function hasItem(before: LibraryItemRow | undefined, body: SaveItem): HasItem {
  if (!before?.deviceTrustOn || before.integrationId !== body.integrationId)
    return { blueprintIds: [], touched: [] };
  return {
    blueprintIds: before.blueprints.map(({ id }) => id),
    // Undefined fields are left out by JSON.
    touched: platformsTouchedBy(before.settings, body.settings as ItemSettings),
  };
}

const NO_LOSSES = { devices: 0, total: 0, logins: [] as readonly string[] };

/** Devices that this change takes out of scope, and whose users lose their trust by it. */
async function findLosses(sql: Sql, itemId: string, saved: readonly string[]): Promise<typeof NO_LOSSES> {
  const devices = await countLeaving(sql, itemId, saved);
  return devices === 0 ? NO_LOSSES : { devices, ...(await listUsersLosingTrust(sql, itemId, saved)) };
}

export async function previewItem(
  sql: Sql,
  body: SaveItem,
  before: LibraryItemRow | undefined,
  appsAndBooks: () => Promise<AppsAndBooksClient>,
): Promise<z.input<typeof ItemPreview>> {
  const integration = await findIntegration(sql, body.integrationId);
  if (!integration) throw notFound('integration');
  const saved = body.deviceTrustOn ? body.blueprintIds : [];
  const losing = before?.deviceTrustOn ? await findLosses(sql, before.id, saved) : NO_LOSSES;
  const arriving = await countArriving(sql, integration.id, saved, OKTA_VERIFY.adamId, hasItem(before, body));
  // Turning it off installs nothing: it must not wait for Apple.
  const asked = body.deviceTrustOn ? await licenses(appsAndBooks) : undefined;
  const needsConfirmation = body.deviceTrustOn && !before?.deviceTrustOn;
  const isProven = before !== undefined && (await wasEverDelivered(sql, before.id));
  const devices = arriving.Mac + arriving.iPhone + arriving.iPad;
  const settings = integrationSettingsOf(integration.settings);
  // Without any blueprint nothing would be sent: the test blueprint is where to begin.
  const isProposed = body.deviceTrustOn && !isProven && (devices > 5 || saved.length === 0);
  return {
    devices,
    byFamily: { Mac: arriving.Mac, iPhone: arriving.iPhone, iPad: arriving.iPad },
    unchanged: arriving.unchanged,
    leaving: losing.devices,
    licenses: { needed: arriving.licensesNeeded, left: asked?.left ?? null },
    usersAsked: arriving.usersAsked,
    usersLosingTrust: [...losing.logins],
    usersLosingTrustTotal: losing.total,
    pushCertificate: await pushState(sql),
    appsAndBooksToken: asked ? await tokenState(sql, asked.code) : null,
    needsConfirmation,
    confirmation: needsConfirmation ? SWITCH_CONFIRMATION : null,
    testBlueprint: isProposed
      ? {
          name: await freeBlueprintName(sql, TEST_BLUEPRINT),
          reason: 'The first time, deliver to a few devices and check the result before you continue.',
          suggestedDevices: await suggestTestDevices(sql, saved),
        }
      : null,
    removalStartsInMinutes: losing.devices > 0 ? settings.removalDelayMinutes : null,
    waves: await previewWaves(sql, devices + losing.devices, [
      ...new Set([...saved, ...(before?.blueprints.map(({ id }) => id) ?? [])]),
    ]),
  };
}

// The library item "Okta Verify", blueprints, and enrollment codes.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { WavesPreview } from './fleet-rollouts.ts';
import { bucket, family } from './device-filter.ts';
import { Failure, id, idParams, instant, line, list } from './fields.ts';

const tag = 'library';

/** Plain values only: a managed app configuration is a property list of strings, numbers, booleans, lists and dictionaries. */
const configuration = z.record(line(200), z.json()).meta({ id: 'AppConfiguration' });

const ItemSettings = z
  .strictObject({
    enrollmentOptions: z
      .enum(['SilentEnrollmentEnabled', 'SilentEnrollmentDisabled', 'Enabled', 'Disabled'])
      .optional(),
    launchOptions: line(100).optional(),
    /** Further managed preferences of Okta Verify on macOS, e.g. OktaVerify.ReportDiagnostics. */
    extraKeys: configuration.optional(),
    /** When the item no longer applies, remove the app too. This destroys its user's FastPass. */
    removeAppOnRemoval: z.boolean().optional(),
    /** Macs: Okta Verify is not installed by Odette; Platform SSO needs the downloaded package. Everything else is delivered. */
    appComesFromElsewhere: z.boolean().optional(),
    /**
     * Macs: the keychain of the certificate. System, the default: the device has it before anybody logs in. User: the login keychain, where
     * Okta Verify looks first; only while its user is logged in can it be delivered, renewed and proven. A change moves it: the old one goes
     * after the new one is proven.
     */
    certificateScope: z.enum(['System', 'User']).optional(),
  })
  .meta({ id: 'LibraryItemSettings' });

const saved = {
  integrationId: id,
  installType: z.literal('install_and_continuously_enforce'),
  deviceTrustOn: z.boolean(),
  /** The item's own, for iPhone and iPad; Okta Device Trust overrides it while it is on. */
  appConfiguration: configuration.nullable(),
  settings: ItemSettings,
};

export const LibraryItem = z
  .object({
    id,
    name: z.literal('Okta Verify'),
    ...saved,
    /** Its own managed app configuration is set aside: Okta Device Trust manages it. */
    overridesAppConfiguration: z.boolean(),
    /** The device families configured for Okta Device Trust. */
    families: z.array(family),
    oktaDomain: z.string(),
    blueprints: z.array(z.object({ id, name: z.string(), devices: z.number().int() })),
    payloads: z.array(
      z.object({
        setting: z.string(),
        platforms: z.array(z.string()),
        description: z.string(),
        applies: z.boolean(),
      }),
    ),
    buckets: z.record(bucket, z.number().int()),
    /** Macs whose Okta Verify is not the App Store's. */
    notFromAppStore: z.object({
      reason: z.string(),
      devices: z.array(z.object({ id, name: z.string().nullable(), serialNumber: z.string().nullable() })),
    }),
    version: z.number().int(),
    changedAt: instant,
  })
  .meta({ id: 'LibraryItem' });

const SaveItem = z
  .strictObject({
    integrationId: id,
    installType: z.literal('install_and_continuously_enforce').default('install_and_continuously_enforce'),
    deviceTrustOn: z.boolean().default(false),
    appConfiguration: configuration.nullable().default(null),
    settings: ItemSettings.default({}),
    blueprintIds: z.array(id).max(500).default([]),
    /** Needed to turn Okta Device Trust on: true confirms that it overrides the item's own managed app configuration for iPhone and iPad. */
    confirmAppConfigurationOverride: z.boolean().default(false),
    /** Needed where users are managed in Okta only through devices that leave: yes, Okta's policy no longer demands managed devices of them. */
    confirmPolicyIsLifted: z.boolean().default(false),
  })
  .meta({ id: 'SaveLibraryItem' });

const AppleAccess = z.object({
  /** In order, and for a month to come. */
  ok: z.boolean(),
  failure: Failure.nullable(),
  /** What is wrong now, or soon will be; the failure says what to do. */
  text: z.string().nullable(),
});

export const ItemPreview = z
  .object({
    /** Devices that something would be sent to. */
    devices: z.number().int(),
    /** Devices in scope that have all of it already. */
    unchanged: z.number().int(),
    byFamily: z.object({ Mac: z.number(), iPhone: z.number(), iPad: z.number() }),
    /** Devices whose payloads would be taken away. */
    leaving: z.number().int(),
    licenses: z.object({ needed: z.number().int(), left: z.number().int().nullable() }),
    /** Unsupervised iPhones and iPads: their users are asked before the app installs. */
    usersAsked: z.number().int(),
    /** Users who are managed in Okta only through devices that leave, a hundred at most. */
    usersLosingTrust: z.array(z.string()),
    usersLosingTrustTotal: z.number().int(),
    /** Null: the devices of this installation are woken by another MDM server. */
    pushCertificate: AppleAccess.nullable(),
    /** Null: nothing would be installed, so Apple was not asked. */
    appsAndBooksToken: AppleAccess.nullable(),
    needsConfirmation: z.boolean(),
    confirmation: z.string().nullable(),
    /** The first time, on few devices: proposed until the item's devices are delivered somewhere. */
    testBlueprint: z
      .object({
        name: z.string(),
        reason: z.string(),
        suggestedDevices: z.array(z.object({ id, name: z.string().nullable(), family })),
      })
      .nullable(),
    removalStartsInMinutes: z.number().nullable(),
    /** How the change reaches the devices that arrive or leave. */
    waves: WavesPreview,
  })
  .meta({ id: 'LibraryItemPreview' });

export const library = {
  listLibraryItems: endpoint({
    tag,
    summary: 'Library items',
    method: 'get',
    path: '/api/library-items',
    access: 'viewer',
    status: 200,
    response: list(LibraryItem),
  }),
  getLibraryItem: endpoint({
    tag,
    summary: 'A library item with its switch, families, Okta domain and blueprints',
    method: 'get',
    path: '/api/library-items/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: LibraryItem,
    versioned: true,
  }),
  createLibraryItem: endpoint({
    tag,
    summary: 'Adds the Okta Verify item of an integration; the same transaction starts its rollouts',
    method: 'post',
    path: '/api/library-items',
    access: 'admin',
    body: SaveItem,
    status: 201,
    response: LibraryItem,
    problems: ['library.confirmation_needed', 'library.blueprint_taken'],
  }),
  saveLibraryItem: endpoint({
    tag,
    summary: 'Saves a library item: assignment, switch, settings',
    method: 'put',
    path: '/api/library-items/{id}',
    access: 'admin',
    params: idParams,
    body: SaveItem,
    status: 200,
    response: LibraryItem,
    versioned: true,
    problems: ['library.confirmation_needed', 'library.policy_in_force', 'library.blueprint_taken'],
  }),
  deleteLibraryItem: endpoint({
    tag,
    summary: 'Removes a library item; Odette then removes its payloads',
    method: 'delete',
    path: '/api/library-items/{id}',
    access: 'admin',
    params: idParams,
    query: z.strictObject({
      /** As of a save. */
      confirmPolicyIsLifted: z.stringbool().default(false),
    }),
    status: 204,
    versioned: true,
    problems: ['library.policy_in_force'],
  }),
  previewLibraryItem: endpoint({
    tag,
    summary: 'What saving would do, and the test blueprint it proposes',
    method: 'post',
    path: '/api/library-items/preview',
    access: 'viewer',
    body: z.strictObject({ ...SaveItem.shape, libraryItemId: id.optional() }),
    status: 200,
    response: ItemPreview,
    ownTransaction: true,
  }),
};

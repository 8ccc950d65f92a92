// Integrations: what the wizard made, shown and changed with the same checks.
import { z } from 'zod';
import { HALT_REASONS } from '../../domain/automatic-reissue.ts';
import { endpoint } from './endpoint.ts';
import { WavesPreview } from './fleet-rollouts.ts';
import {
  credentialsKind,
  PendingAnswer,
  PrerequisiteCheck,
  SetupAnswerBody,
  setupChannel,
} from './setups.ts';
import { Failure, id, idParams, instant, line, list, SecretSet } from './fields.ts';

const tag = 'integrations';

const IntegrationSettings = z
  .strictObject({
    patienceHours: z
      .number()
      .min(1)
      .max(24 * 365),
    removalDelayMinutes: z
      .number()
      .min(0)
      .max(24 * 60),
    trustLookupSeconds: z.array(z.number().min(1).max(86_400)).max(10),
    trustSweepMinutes: z
      .number()
      .min(1)
      .max(24 * 60),
    enforcementSweepMinutes: z
      .number()
      .min(1)
      .max(24 * 60),
    expirySweepMinutes: z
      .number()
      .min(1)
      .max(24 * 60),
    verifyAfterHours: z
      .number()
      .min(1)
      .max(24 * 30),
    renewalWindowStart: z.number().gt(0).lt(1),
    renewalWindowEnd: z.number().gt(0).lt(1),
    unusedWarnDays: z.number().min(1).max(90),
    unusedWarnAgainDays: z.number().min(1).max(90),
    unusedReissueDays: z.number().min(1).max(90),
    reissuesPerHour: z.number().int().min(1).max(10_000),
    /** A device counts as managed for whatever user Okta names. */
    countsAnyUser: z.boolean(),
    /** Custom domains that users sign in at beside the one that Okta names. Each must lead to this tenant. */
    furtherDomains: z.array(line(253)).max(20),
  })
  .meta({ id: 'IntegrationSettings' });

const health = z.object({
  connection: z.enum(['okta', 'challenge', 'scep', 'apps_and_books']),
  ok: z.boolean(),
  failure: Failure.nullable(),
  at: instant,
});

/** Odette stopped re-issuing certificates by itself: too many devices lost "managed" in Okta at once. It waits for a person. */
const HaltedReissue = z
  .object({
    platform: z.enum(['macOS', 'iOS']),
    reason: z.enum(HALT_REASONS),
    haltedAt: instant,
    text: z.string(),
    likelyCauses: z.array(z.string()),
    /** Devices that wait for the word. */
    held: z.number().int(),
  })
  .meta({ id: 'HaltedReissue' });

/** The newest check, daily or by a person. */
const IntegrationCheck = z
  .object({
    at: instant,
    /** Why the tenant itself could not be read. */
    failure: Failure.nullable(),
    items: z.array(PrerequisiteCheck),
    /** The custom domain that Okta names now. */
    customDomain: z.string().nullable(),
    /** Custom domains on devices that do not lead to the tenant. */
    strayDomains: z.array(z.string()),
    /** What Okta's SCEP server presents; null: not seen yet. */
    authority: z
      .array(
        z.object({
          /** SHA-256, lower-case hex. */
          fingerprint: z.string(),
          subject: z.string(),
          isAuthority: z.boolean(),
          notAfter: instant,
        }),
      )
      .nullable(),
    authorityChange: z.object({ at: instant, text: z.string() }).nullable(),
  })
  .meta({ id: 'IntegrationCheck' });

export const Integration = z
  .object({
    id,
    name: z.string(),
    orgId: z.string(),
    host: z.string(),
    channel: setupChannel,
    customDomain: z.string().nullable(),
    credentialsKind,
    clientId: z.string(),
    credentials: SecretSet.nullable(),
    grantedScopes: z.array(z.string()),
    macOS: z
      .object({
        scepUrl: z.string(),
        challengeUrl: z.string(),
        username: z.string(),
        password: SecretSet.nullable(),
      })
      .nullable(),
    iOS: z.object({ providerName: z.string(), secretKey: SecretSet.nullable() }).nullable(),
    /** Null until ODETTE_PUBLIC_URL is set. */
    enrollmentLink: z.string().nullable(),
    settings: IntegrationSettings,
    health: z.array(health),
    haltedReissues: z.array(HaltedReissue),
    /** Null: not checked yet. */
    check: IntegrationCheck.nullable(),
    createdAt: instant,
    changedAt: instant,
  })
  .meta({ id: 'Integration' });

/** Enrolled devices, also of a platform that is not configured: they come in scope once it is. */
const IntegrationImpact = z
  .object({
    macOS: z.number().int(),
    iOS: z.number().int(),
    /** How a change of what all of them carry reaches them. */
    waves: WavesPreview,
  })
  .meta({ id: 'IntegrationReach' });

export const integrations = {
  listIntegrations: endpoint({
    tag,
    summary: 'Integrations',
    method: 'get',
    path: '/api/integrations',
    access: 'viewer',
    status: 200,
    response: list(Integration),
  }),
  getIntegration: endpoint({
    tag,
    summary:
      'An integration: tenant, platforms, scopes, health of each connection, and who set each secret and when',
    method: 'get',
    path: '/api/integrations/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Integration,
    versioned: true,
  }),
  getIntegrationImpact: endpoint({
    tag,
    summary:
      'How many devices a changed answer affects, by platform: those of the items with Okta Device Trust turned on',
    method: 'get',
    path: '/api/integrations/{id}/impact',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: IntegrationImpact,
  }),
  updateIntegration: endpoint({
    tag,
    summary: 'Changes the name and settings of an integration',
    method: 'patch',
    path: '/api/integrations/{id}',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ name: line(100).optional(), settings: IntegrationSettings.partial().optional() }),
    status: 200,
    response: Integration,
    versioned: true,
  }),
  answerIntegration: endpoint({
    tag,
    summary:
      'Changes one answer of the wizard, with the same checks; Odette pushes every payload that contains it again',
    method: 'post',
    path: '/api/integrations/{id}/answers',
    access: 'admin',
    params: idParams,
    body: SetupAnswerBody,
    status: 200,
    response: Integration,
    /** Ask at `Location`; when the setup is complete the integration is changed. */
    later: PendingAnswer,
    ownTransaction: true,
    problems: ['setup.wrong_step', 'setup.prerequisites_missing', 'server.unavailable'],
  }),
  resumeReissues: endpoint({
    tag,
    summary: 'Resumes automatic re-issues after a halt; held-back devices get a new certificate',
    method: 'post',
    path: '/api/integrations/{id}/reissues/resume',
    access: 'operator',
    params: idParams,
    body: z.strictObject({ platform: z.enum(['macOS', 'iOS']) }),
    status: 200,
    response: z
      .object({
        /** That get a new certificate. */
        devices: z.number().int(),
      })
      .meta({ id: 'ResumedReissues' }),
    problems: ['request.conflict'],
  }),
  checkIntegration: endpoint({
    tag,
    summary: 'Runs the prerequisite checks against Okta again',
    method: 'post',
    path: '/api/integrations/{id}/checks',
    access: 'operator',
    params: idParams,
    status: 200,
    response: list(PrerequisiteCheck),
    ownTransaction: true,
    problems: ['okta.not_okta', 'okta.unreachable', 'setup.other_tenant'],
  }),
};

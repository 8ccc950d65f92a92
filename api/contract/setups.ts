// The setup wizard: start, look, answer, poll, give up.
import { z } from 'zod';
import { CREDENTIALS_KINDS, PREREQUISITES, SETUP_CHANNELS, SETUP_STEPS } from '../../domain/setup-wizard.ts';
import { endpoint } from './endpoint.ts';
import { failureCode, id, idParams, instant, line, list, secretText, SecretSet } from './fields.ts';

const tag = 'setup';
const step = z.enum(SETUP_STEPS).meta({ id: 'SetupStep' });
export const platform = z.enum(['macOS', 'iOS']).meta({ id: 'Platform' });
export const credentialsKind = z.enum(CREDENTIALS_KINDS).meta({ id: 'CredentialsKind' });
/** How Odette reaches the devices: they enroll in it, or it observes them in Okta alone. */
export const setupChannel = z.enum(SETUP_CHANNELS).meta({ id: 'SetupChannel' });
const url = z.url({ protocol: /^https$/ }).max(2_048);

const Tenant = z
  .object({
    orgId: z.string(),
    host: z.string(),
    customDomain: z.string().optional(),
    pipeline: z.enum(['idx', 'v1']),
  })
  .meta({ id: 'Tenant' });

export const PrerequisiteCheck = z
  .object({
    id: z.enum(PREREQUISITES),
    title: z.string(),
    result: z.enum(['passed', 'failed', 'not_checked']),
    confirmed: z.boolean(),
    /** It could not be checked; the admin may say that it is so. */
    canBeConfirmed: z.boolean(),
    failureCode: failureCode.optional(),
    detail: z.string(),
    /** The click path in Okta, or what else to do. */
    remedy: z.string(),
  })
  .meta({ id: 'PrerequisiteCheck' });

/** What the admin does on Okta's side of a step. */
const StepGuide = z
  .object({
    step,
    title: z.string(),
    intro: z.string(),
    tasks: z.array(
      z.object({
        text: z.string(),
        /** To be pasted into Okta. */
        copy: z.object({ label: z.string(), value: z.string() }).optional(),
        /** To be opened in a new window. */
        link: z.object({ label: z.string(), url: z.url() }).optional(),
      }),
    ),
    /** What Okta shows this once: have a safe place ready before you go. */
    shownOnce: z.array(z.string()),
    warning: z.string().optional(),
  })
  .meta({ id: 'StepGuide' });

/** Secrets left out keep the value that is set already. */
export const SetupAnswerBody = z
  .discriminatedUnion('step', [
    z.strictObject({ step: z.literal('get_started'), channel: setupChannel.default('built_in') }),
    z.strictObject({ step: z.literal('okta_domain'), domain: line(300) }),
    z.strictObject({ step: z.literal('credentials_kind'), credentialsKind }),
    z.strictObject({ step: z.literal('okta_tasks') }),
    z.strictObject({
      step: z.literal('credentials'),
      clientId: line(200),
      clientSecret: secretText(1_024).optional(),
    }),
    z.strictObject({
      step: z.literal('connect'),
      confirmed: z.array(z.enum(PREREQUISITES)).max(PREREQUISITES.length).default([]),
    }),
    z.strictObject({ step: z.literal('platforms'), platforms: z.array(platform).min(1).max(2) }),
    z.strictObject({
      step: z.literal('macos'),
      scepUrl: url,
      challengeUrl: url,
      username: line(300),
      password: secretText(1_024).optional(),
    }),
    z.strictObject({
      step: z.literal('ios'),
      secretKey: secretText(256, 8).optional(),
      providerName: line(100),
    }),
    z.strictObject({ step: z.literal('complete') }),
    z.strictObject({ step: z.literal('go_to'), target: step }),
  ])
  .meta({ id: 'SetupAnswer' });

export const Setup = z
  .object({
    id,
    status: z.enum(['open', 'complete', 'abandoned']),
    step,
    /** The steps of this setup in their order: a platform that was not chosen has none. */
    steps: z.array(z.object({ step, title: z.string(), answered: z.boolean() })),
    /** A check of an answer runs; another answer gets 409. */
    checking: z.boolean(),
    /** What was answered so far, by step; of secrets only that they are set. */
    answers: z.object({
      channel: setupChannel.optional(),
      domain: z.string().optional(),
      credentialsKind: credentialsKind.optional(),
      clientId: z.string().optional(),
      clientSecret: SecretSet.optional(),
      /** To be pasted into Okta, for an API Services app of the tenant's own. */
      publicJwk: z.record(z.string(), z.string()).optional(),
      platforms: z.array(platform).optional(),
      scepUrl: z.string().optional(),
      challengeUrl: z.string().optional(),
      username: z.string().optional(),
      password: SecretSet.optional(),
      secretKey: SecretSet.optional(),
      providerName: z.string().optional(),
    }),
    tenant: Tenant.optional(),
    prerequisites: z.array(PrerequisiteCheck),
    guide: StepGuide,
    integrationId: id.optional(),
    /** It changes an integration that exists. */
    amends: z.boolean(),
    startedBy: z.string(),
    startedAt: instant,
    changedAt: instant,
    finishedAt: instant.nullable(),
  })
  .meta({ id: 'Setup' });

export const PendingAnswer = z
  .object({ setupId: id, answerId: z.string(), checking: z.literal(true) })
  .meta({ id: 'PendingAnswer' });

export const setups = {
  startSetup: endpoint({
    tag,
    summary: 'Starts a setup for a new integration or for changes to an existing one',
    method: 'post',
    path: '/api/setups',
    access: 'admin',
    body: z.strictObject({ integrationId: id.optional() }).default({}),
    status: 201,
    response: Setup,
    ownTransaction: true,
    problems: ['server.unavailable'],
  }),
  listSetups: endpoint({
    tag,
    summary: 'Setups, newest first',
    method: 'get',
    path: '/api/setups',
    access: 'viewer',
    query: z.strictObject({ status: z.enum(['open', 'complete', 'abandoned']).optional() }),
    status: 200,
    response: list(Setup),
  }),
  getSetup: endpoint({
    tag,
    summary: 'A setup with the step it is at, what was answered, and what to do in Okta',
    method: 'get',
    path: '/api/setups/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Setup,
  }),
  answerSetup: endpoint({
    tag,
    summary:
      'Answers a step. If a check takes longer than five seconds, the response is 202 with a `Location` to poll',
    method: 'post',
    path: '/api/setups/{id}/answers',
    access: 'admin',
    params: idParams,
    body: SetupAnswerBody,
    status: 200,
    response: Setup,
    later: PendingAnswer,
    ownTransaction: true,
    problems: [
      'setup.wrong_step',
      'setup.check_running',
      'setup.not_open',
      'setup.prerequisites_missing',
      'server.unavailable',
    ],
  }),
  getSetupAnswer: endpoint({
    tag,
    summary: 'The result of an answer: the setup, a problem, or 202 while its check runs',
    method: 'get',
    path: '/api/setups/{id}/answers/{answerId}',
    access: 'admin',
    params: z.object({ id, answerId: line(255) }),
    status: 200,
    response: Setup,
    later: PendingAnswer,
    problems: ['server.unavailable'],
  }),
  abandonSetup: endpoint({
    tag,
    summary: 'Abandons a setup',
    method: 'delete',
    path: '/api/setups/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
    ownTransaction: true,
    problems: ['server.unavailable'],
  }),
};

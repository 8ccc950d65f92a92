// Signing in, people and API tokens.
import { z } from 'zod';
import { ROLES } from '../../domain/sign-in-roles.ts';
import { endpoint } from './endpoint.ts';
import { Failure, id, idParams, instant, line, list, oneTimeCode, secretText } from './fields.ts';

const tag = 'people';
const role = z.enum(ROLES).meta({ id: 'Role' });
const password = secretText(1_024, 12);

const Caller = z
  .object({
    /** person:NAME or token:NAME, as in the audit trail. */
    actor: z.string(),
    name: z.string(),
    role,
    kind: z.enum(['person', 'token']),
    expiresAt: instant.nullable(),
    /** An admin requires a second factor, and this person has none yet: nothing else is allowed before. */
    mustSetUpSecondFactor: z.boolean(),
  })
  .meta({ id: 'Caller' });

const Person = z
  .object({
    id,
    name: z.string(),
    role,
    /** Signs in with a password here, not through an identity provider. */
    isLocal: z.boolean(),
    createdAt: instant,
    disabledAt: instant.nullable(),
    /** One-time codes of an authenticator app. */
    hasSecondFactor: z.boolean(),
  })
  .meta({ id: 'Person' });

const ApiToken = z
  .object({
    id,
    name: z.string(),
    role,
    createdBy: z.string(),
    createdAt: instant,
    expiresAt: instant.nullable(),
    revokedAt: instant.nullable(),
    lastUsedAt: instant.nullable(),
  })
  .meta({ id: 'ApiToken' });

/** A token that nobody renews ends. */
export const DEFAULT_TOKEN_DAYS = 90;

/** Why somebody was sent back from the identity provider without a session. */
export const SIGN_IN_REFUSALS = [
  'sign_in.attempt_over',
  'sign_in.provider_unreachable',
  'sign_in.host_not_allowed',
  'sign_in.provider_refused',
  'sign_in.client_refused',
  'sign_in.response_refused',
  'sign_in.no_role',
  'sign_in.disabled',
  'request.too_many',
  'store.unavailable',
] as const;
export type SignInRefusal = (typeof SIGN_IN_REFUSALS)[number];

export const people = {
  getSignIn: endpoint({
    tag,
    summary: 'The ways to sign in here, and why a sign-in was refused',
    method: 'get',
    path: '/api/sign-in',
    access: 'public',
    query: z.strictObject({ refused: line(100).optional() }),
    status: 200,
    response: z.object({
      /** Its host, and the address on this host where signing in there begins; null: there is none. */
      identityProvider: z.object({ host: z.string(), path: z.string() }).nullable(),
      refused: Failure.nullable(),
    }),
  }),
  getIdentityProvider: endpoint({
    tag,
    summary: 'The configured identity provider, and what to register with it',
    method: 'get',
    path: '/api/identity-provider',
    access: 'admin',
    status: 200,
    response: z
      .object({
        /** To be registered at the provider. */
        callbackUrl: z.string(),
        provider: z
          .object({
            issuer: z.string(),
            clientId: z.string(),
            scopes: z.string(),
            roleClaim: z.string(),
            /** Values of the claim that give each role. */
            roles: z.object({
              viewer: z.array(z.string()),
              operator: z.array(z.string()),
              admin: z.array(z.string()),
            }),
          })
          .nullable(),
      })
      .meta({ id: 'IdentityProvider' }),
  }),
  getFirstRun: endpoint({
    tag,
    summary: 'Whether the first admin is still missing, checked with the link that the launcher printed',
    method: 'get',
    path: '/api/first-run',
    access: 'public',
    status: 200,
    response: z.object({ needed: z.boolean() }),
  }),
  finishFirstRun: endpoint({
    tag,
    summary: 'Creates the first admin (the local break-glass account) and signs in',
    method: 'post',
    path: '/api/first-run',
    access: 'public',
    body: z.strictObject({ token: secretText(200), name: line(100), password }),
    status: 201,
    response: Caller,
    problems: ['people.first_run_refused', 'request.too_many'],
  }),
  signIn: endpoint({
    tag,
    summary: 'Signs a local person in; the session is a cookie',
    method: 'post',
    path: '/api/session',
    access: 'public',
    ownTransaction: true,
    body: z.strictObject({
      name: line(100),
      password: secretText(1_024),
      /** Of the authenticator app, or a recovery code; of who has a second factor. */
      code: oneTimeCode.optional(),
    }),
    status: 201,
    response: Caller,
    problems: ['people.sign_in_refused', 'people.code_needed', 'people.code_refused', 'request.too_many'],
  }),
  getSession: endpoint({
    tag,
    summary: 'The caller of this request',
    method: 'get',
    path: '/api/session',
    access: 'viewer',
    beforeSecondFactor: true,
    status: 200,
    response: Caller,
  }),
  signOut: endpoint({
    tag,
    summary: 'Ends the session',
    method: 'delete',
    path: '/api/session',
    access: 'viewer',
    beforeSecondFactor: true,
    status: 204,
  }),
  changePassword: endpoint({
    tag,
    summary: "Changes the caller's own password and ends the caller's other sessions",
    method: 'put',
    path: '/api/session/password',
    access: 'viewer',
    body: z.strictObject({ current: secretText(1_024), password }),
    status: 204,
    problems: ['people.sign_in_refused'],
  }),
  listPeople: endpoint({
    tag,
    summary: 'People',
    method: 'get',
    path: '/api/people',
    access: 'admin',
    status: 200,
    response: list(Person),
  }),
  createPerson: endpoint({
    tag,
    summary: 'Adds a local person',
    method: 'post',
    path: '/api/people',
    access: 'admin',
    body: z.strictObject({ name: line(100), role, password }),
    status: 201,
    response: Person,
    problems: ['request.conflict'],
  }),
  updatePerson: endpoint({
    tag,
    summary:
      'Changes role or password, or disables; sessions end when a person is disabled or gets another password',
    method: 'patch',
    path: '/api/people/{id}',
    access: 'admin',
    params: idParams,
    body: z.strictObject({
      role: role.optional(),
      password: password.optional(),
      disabled: z.boolean().optional(),
    }),
    status: 200,
    response: Person,
    problems: ['people.last_admin', 'request.conflict'],
  }),
  listTokens: endpoint({
    tag,
    summary: 'API tokens, without their values',
    method: 'get',
    path: '/api/tokens',
    access: 'admin',
    status: 200,
    response: list(ApiToken),
  }),
  createToken: endpoint({
    tag,
    summary: 'Creates an API token; only this response shows its value',
    method: 'post',
    path: '/api/tokens',
    access: 'admin',
    body: z.strictObject({
      name: line(100),
      role,
      /** Left out: 90 days; null: until it is revoked. */ expiresInDays: z
        .number()
        .int()
        .min(1)
        .max(3_650)
        .nullable()
        .optional(),
    }),
    status: 201,
    response: z.object({ ...ApiToken.shape, token: z.string() }).meta({ id: 'NewApiToken' }),
    showsSecret: true,
  }),
  revokeToken: endpoint({
    tag,
    summary: 'Revokes an API token',
    method: 'delete',
    path: '/api/tokens/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
  }),
};

// Okta's two shapes of errors, with the texts of its published catalogues.
import { randomBytes } from 'node:crypto';
import type { TenantResponse } from './tenant.ts';

const MANAGEMENT = {
  E0000001: [400, 'Api validation failed'],
  E0000005: [401, 'Invalid session'],
  E0000006: [403, 'You do not have permission to perform the requested action'],
  E0000007: [404, 'Not found: Resource not found'],
  E0000011: [401, 'Invalid token provided'],
  E0000015: [401, 'You do not have permission to access the feature you are requesting'],
  E0000022: [405, 'The endpoint does not support the provided HTTP method'],
  E0000031: [400, 'Invalid search criteria.'],
  E0000047: [429, 'API call exceeded rate limit due to too many requests.'],
  E0000152: [403, 'Illegal device status, cannot perform action'],
} as const satisfies Record<string, readonly [status: number, summary: string]>;

export type ManagementErrorCode = keyof typeof MANAGEMENT;

export function refuse(
  code: ManagementErrorCode,
  headers: Record<string, string> = {},
  cause?: string,
): TenantResponse {
  const [status, errorSummary] = MANAGEMENT[code];
  return {
    status,
    headers,
    body: {
      errorCode: code,
      errorSummary,
      errorLink: code,
      errorId: `oae${randomBytes(16).toString('base64url')}`,
      errorCauses: cause === undefined ? [] : [{ errorSummary: cause }],
    },
  };
}

const OAUTH = {
  secret_wrong: [401, 'invalid_client', 'The client secret supplied for a confidential client is invalid.'],
  client_unknown: [401, 'invalid_client', "Invalid value for 'client_id' parameter."],
  client_failed: [
    401,
    'invalid_client',
    'Client authentication failed. Either the client or the client credentials are invalid.',
  ],
  key_required: [
    401,
    'invalid_client',
    'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.',
  ],
  basic_required: [
    401,
    'invalid_client',
    'OAuth Integration Client Credentials requests to the Org Authorization Server must use either private_key_jwt or client_secret_basic as the token_endpoint_auth_method.',
  ],
  not_a_service: [
    401,
    'invalid_client',
    "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with the Org Authorization Server.",
  ],
  assertion_invalid: [401, 'invalid_client', 'The client_assertion token is invalid.'],
  scope_unknown: [
    400,
    'invalid_scope',
    'One or more scopes are not configured for the authorization server resource.',
  ],
  no_scope: [400, 'invalid_scope', 'No scopes were requested.'],
  consent_required: [400, 'consent_required', 'You are not allowed any of the requested scopes.'],
  network_zone: [
    403,
    'access_denied',
    "The request is made from outside the client's permitted network zones.",
  ],
  dpop_missing: [400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.'],
  dpop_invalid: [400, 'invalid_dpop_proof', 'The DPoP proof JWT is invalid.'],
  dpop_nonce: [400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.'],
  grant_type: [
    400,
    'unsupported_grant_type',
    'The authorization grant type is not supported by the authorization server.',
  ],
  not_a_form: [400, 'invalid_request', "The 'Content-Type' must be application/x-www-form-urlencoded."],
} as const satisfies Record<string, readonly [status: number, error: string, description: string]>;

export type OAuthRefusal = keyof typeof OAUTH;

/** @param nonce that goes with `dpop_nonce` */
export function refuseToken(refusal: OAuthRefusal, nonce = ''): TenantResponse {
  const [status, error, description] = OAUTH[refusal];
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  if (refusal === 'dpop_nonce') headers['dpop-nonce'] = nonce;
  return { status, headers, body: { error, error_description: description } };
}

/** Of a call of the API whose token is bound to a key (RFC 9449 §7.1). */
export const refuseProof = (error: 'invalid_dpop_proof' | 'invalid_token'): TenantResponse => ({
  status: error === 'invalid_token' ? 401 : 400,
  headers: { 'www-authenticate': `DPoP algs="RS256 RS384 RS512 ES256 ES384 ES512", error="${error}"` },
  body: { error, error_description: 'The resource request requires a DPoP proof.' },
});

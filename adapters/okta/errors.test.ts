// What Okta's refusals mean, in both their shapes.
import { describe, expect, it } from 'vitest';
import { managementError, tokenError } from './errors.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { assertNotLimited } from './rate-limits.ts';
import type { HttpResponse } from './guarded-http.ts';

const response = (
  status: number,
  body: object | string,
  headers: Record<string, string> = {},
): HttpResponse => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

/** Okta's catalogue of OAuth errors, as far as a token or a call of Odette's can meet them: every sentence as Okta writes it. */
const OAUTH_ERRORS: readonly [status: number, error: string, description: string, code: FailureCode][] = [
  [
    401,
    'invalid_client',
    'The client secret supplied for a confidential client is invalid.',
    'okta.client_secret_wrong',
  ],
  [401, 'invalid_client', "Invalid value for 'client_id' parameter.", 'okta.client_id_unknown'],
  [
    401,
    'invalid_client',
    'Client authentication failed. Either the client or the client credentials are invalid.',
    'okta.client_refused',
  ],
  [
    401,
    'invalid_client',
    'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.',
    'okta.key_required',
  ],
  [
    401,
    'invalid_client',
    'OAuth Integration Client Credentials requests to the Org Authorization Server must use either private_key_jwt or client_secret_basic as the token_endpoint_auth_method.',
    'okta.client_refused',
  ],
  [
    401,
    'invalid_client',
    "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with the Org Authorization Server.",
    'okta.wrong_app_type',
  ],
  [401, 'invalid_client', 'A sentence that is new.', 'okta.client_refused'],
  [
    400,
    'invalid_scope',
    'One or more scopes are not configured for the authorization server resource.',
    'okta.scope_not_granted',
  ],
  [400, 'invalid_scope', 'No scopes were requested.', 'okta.scope_not_granted'],
  [400, 'consent_required', 'You are not allowed any of the requested scopes.', 'okta.scope_not_granted'],
  [
    403,
    'access_denied',
    "The request is made from outside the client's permitted network zones.",
    'okta.network_zone',
  ],
  [
    403,
    'access_denied',
    'The resource owner or authorization server denied the request.',
    'okta.access_denied',
  ],
  [400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.', 'okta.dpop_refused'],
  [400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', 'okta.dpop_refused'],
  [400, 'invalid_request', 'The resource request requires a DPoP proof.', 'okta.dpop_refused'],
  [
    403,
    'insufficient_scope',
    'The access token provided does not contain the required scopes.',
    'okta.scope_not_granted',
  ],
  [400, 'invalid_grant', '', 'okta.unexpected_response'],
];

describe('a refused token', () => {
  it.each(OAUTH_ERRORS)('%i %s "%s" is %s', (status, error, error_description, code) => {
    expect(tokenError(response(status, { error, error_description }), false).code).toBe(code);
  });

  it('that nothing explains means the key, where a key was used', () => {
    const refused = response(401, { error: 'invalid_client', error_description: 'A sentence that is new.' });
    expect(tokenError(refused, true).code).toBe('okta.key_refused');
  });

  it('by a page instead of a response is an outage or something unexpected', () => {
    expect(tokenError(response(502, '<html>'), false).code).toBe('okta.unreachable');
    expect(tokenError(response(404, '<html>'), false).code).toBe('okta.unexpected_response');
  });
});

describe('a refused call', () => {
  it.each([
    [403, 'E0000006', 'okta.access_denied'],
    [404, 'E0000007', 'okta.not_found'],
    [401, 'E0000011', 'okta.token_invalid'],
    [401, 'E0000015', 'okta.access_denied'],
    [410, 'E0000153', 'okta.device_gone'],
    // Of lifecycle and policies, which Odette never touches.
    [403, 'E0000152', 'okta.unexpected_response'],
    [410, 'E0000154', 'okta.unexpected_response'],
    [403, 'E0000174', 'okta.unexpected_response'],
    [400, 'E0000031', 'okta.unexpected_response'],
    [500, 'E0000009', 'okta.unreachable'],
  ])('%i %s is %s', (status, errorCode, code) => {
    const error = managementError(response(status, { errorCode, errorSummary: 'words', errorId: 'oae1' }));
    expect([error.code, error.facts]).toEqual([code, { status, errorCode }]);
  });

  it('429 E0000047 is a limit that passes, with the time that Okta asked for', () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const limited = response(
      429,
      { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' },
      {
        date: new Date(seconds * 1_000).toUTCString(),
        'x-rate-limit-limit': '600',
        'x-rate-limit-remaining': '0',
        'x-rate-limit-reset': String(seconds + 20),
      },
    );
    expect(() => assertNotLimited(limited)).toThrow(
      expect.objectContaining({ code: 'okta.rate_limited', retryAfterMs: 21_000 }),
    );
  });

  it('for want of a scope or of a DPoP proof is told by its header or in the shape of OAuth', () => {
    const headers = { 'www-authenticate': 'Bearer scope="okta.devices.read", error="insufficient_scope"' };
    expect(managementError(response(403, { errorCode: 'E0000006' }, headers)).code).toBe(
      'okta.scope_not_granted',
    );
    const proof = {
      error: 'invalid_request',
      error_description: 'The resource request requires a DPoP proof.',
    };
    expect(managementError(response(400, proof)).code).toBe('okta.dpop_refused');
  });
});

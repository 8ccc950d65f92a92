// What Okta's refusals mean, in both their shapes.
import { describe, expect, it } from 'vitest';
import { managementError, tokenError } from './errors.ts';
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

describe('a refused token', () => {
  it.each([
    [401, 'invalid_client', 'A sentence that is new.', 'okta.client_refused'],
    [400, 'invalid_scope', 'No scopes were requested.', 'okta.scope_not_granted'],
    [400, 'consent_required', 'You are not allowed any of the requested scopes.', 'okta.scope_not_granted'],
    [
      403,
      'access_denied',
      'The resource owner or authorization server denied the request.',
      'okta.access_denied',
    ],
    [400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.', 'okta.dpop_refused'],
    [400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', 'okta.dpop_refused'],
    [400, 'invalid_grant', '', 'okta.unexpected_response'],
  ])('%i %s "%s" is %s', (status, error, error_description, code) => {
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
    [400, 'E0000031', 'okta.unexpected_response'],
    [500, 'E0000009', 'okta.unreachable'],
  ])('%i %s is %s', (status, errorCode, code) => {
    const error = managementError(response(status, { errorCode, errorSummary: 'words', errorId: 'oae1' }));
    expect([error.code, error.facts]).toEqual([code, { status, errorCode }]);
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

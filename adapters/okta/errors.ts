// What Okta's two shapes of errors mean: OAuth (`error`, `error_description`) and the management API (`errorCode`).
import { z } from 'zod';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { readJson, type HttpResponse } from './guarded-http.ts';

const OAuthError = z.object({ error: z.string().max(100), error_description: z.string().optional() });
const ManagementError = z.object({ errorCode: z.string().regex(/^E\d{7}$/) });

// The exact sentences of developer.okta.com/docs/reference/error-codes; compared as a whole, so that a reworded one falls back to its `error`.
const BY_DESCRIPTION: Readonly<Record<string, FailureCode>> = {
  'The client secret supplied for a confidential client is invalid.': 'okta.client_secret_wrong',
  "Invalid value for 'client_id' parameter.": 'okta.client_id_unknown',
  'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.':
    'okta.key_required',
  "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with the Org Authorization Server.":
    'okta.wrong_app_type',
  "The request is made from outside the client's permitted network zones.": 'okta.network_zone',
  'The resource request requires a DPoP proof.': 'okta.dpop_refused',
};

const BY_ERROR: Readonly<Record<string, FailureCode>> = {
  invalid_client: 'okta.client_refused',
  unauthorized_client: 'okta.client_refused',
  invalid_scope: 'okta.scope_not_granted',
  consent_required: 'okta.scope_not_granted',
  insufficient_scope: 'okta.scope_not_granted',
  access_denied: 'okta.access_denied',
  invalid_dpop_proof: 'okta.dpop_refused',
  use_dpop_nonce: 'okta.dpop_refused',
};

function oauthFailure(response: HttpResponse): FailureCode | undefined {
  const read = OAuthError.safeParse(readJson(response));
  if (!read.success) return undefined;
  const { error, error_description: description = '' } = read.data;
  return BY_DESCRIPTION[description] ?? BY_ERROR[error];
}

const serverFailure = (response: HttpResponse): FailureCode =>
  response.status >= 500 ? 'okta.unreachable' : 'okta.unexpected_response';

/** @param usesKey with private_key_jwt an otherwise unexplained `invalid_client` means the key */
export function tokenError(response: HttpResponse, usesKey: boolean): CataloguedError {
  const code = oauthFailure(response) ?? serverFailure(response);
  const meant = code === 'okta.client_refused' && usesKey ? 'okta.key_refused' : code;
  return new CataloguedError(meant, { facts: { status: response.status } });
}

const BY_ERROR_CODE: Readonly<Record<string, FailureCode>> = {
  E0000006: 'okta.access_denied',
  E0000007: 'okta.not_found',
  E0000011: 'okta.token_invalid',
  E0000015: 'okta.access_denied',
  E0000153: 'okta.device_gone',
};

/** For every response of `/api/v1` that is not 2xx (429 is the budget's). */
export function managementError(response: HttpResponse): CataloguedError {
  // A refused scope or a missing DPoP proof is told in OAuth's shape or in WWW-Authenticate (RFC 6750 §3).
  const challenge = response.headers['www-authenticate'] ?? '';
  const fromHeader = /\berror="?([a-z_]+)/.exec(challenge)?.[1];
  const read = ManagementError.safeParse(readJson(response));
  const errorCode = read.success ? read.data.errorCode : undefined;
  const code =
    oauthFailure(response) ??
    (fromHeader === undefined ? undefined : BY_ERROR[fromHeader]) ??
    (errorCode === undefined ? undefined : BY_ERROR_CODE[errorCode]) ??
    (response.status === 401 ? 'okta.token_invalid' : serverFailure(response));
  return new CataloguedError(code, {
    facts: { status: response.status, ...(errorCode === undefined ? {} : { errorCode }) },
  });
}

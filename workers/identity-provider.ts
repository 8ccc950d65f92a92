// Joins the identity provider with the guard of all outward requests, as the settings name them.
import { guardedHttp } from '../adapters/okta/guarded-http.ts';
import { IdentityProvider, type Send } from '../adapters/oidc/identity-provider.ts';
import type { AdminDependencies } from '../api/admin/admin-dependencies.ts';
import { CALLBACK_PATH } from '../api/admin/provider-sign-in.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import type { Config } from './config.ts';

/** @throws ConfigError when the client secret cannot be read */
export function identityProviderOf(
  config: Pick<Config, 'oidc' | 'consoleUrl' | 'allowedPrivateHosts'>,
): AdminDependencies['identityProvider'] {
  const { oidc, consoleUrl, allowedPrivateHosts } = config;
  if (oidc === undefined) return undefined;
  const { issuer, clientId, scopes, roleClaim, roles } = oidc;
  const clientSecret = oidc.clientSecret();
  const callbackUrl = consoleUrl + CALLBACK_PATH;
  const send = guardedSend(allowedPrivateHosts);
  return {
    provider: new IdentityProvider({ issuer, clientId, clientSecret, scopes, roleClaim, callbackUrl, send }),
    roles,
  };
}

const MEANT: Partial<Record<FailureCode, FailureCode>> = {
  'okta.host_not_allowed': 'sign_in.host_not_allowed',
  'okta.unexpected_response': 'sign_in.response_refused',
};

/** The guard speaks of Okta where this is any provider. */
const guardedSend =
  (allowedPrivateHosts: readonly string[]): Send =>
  async (request) => {
    try {
      return await guardedHttp(allowedPrivateHosts).send({
        ...request,
        unreachable: 'sign_in.provider_unreachable',
      });
    } catch (error) {
      const meant = error instanceof CataloguedError ? MEANT[error.code] : undefined;
      if (error instanceof CataloguedError && meant !== undefined)
        throw new CataloguedError(meant, { facts: error.facts });
      throw error;
    }
  };

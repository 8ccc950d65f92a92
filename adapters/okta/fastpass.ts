// Decides from Okta's authenticators whether FastPass can be used, and what an admin had better know.
import { z } from 'zod';

export const AuthenticatorResponse = z.object({
  id: z.string(),
  key: z.string(),
  status: z.string(),
  settings: z.object({ compliance: z.object({ fips: z.string().nullish() }).nullish() }).nullish(),
});
export type Authenticator = z.infer<typeof AuthenticatorResponse>;

export const MethodResponse = z.object({
  type: z.string(),
  status: z.string(),
  settings: z
    .object({ keyProtection: z.string().nullish(), showSignInWithOV: z.string().nullish() })
    .nullish(),
});
export type AuthenticatorMethod = z.infer<typeof MethodResponse>;

export interface FastPassCheck {
  readonly oktaVerifyActive: boolean;
  readonly fastPassActive: boolean;
  /** Sentences for the admin; none of them prevents the setup. */
  readonly warnings: readonly string[];
}

const isActive = (thing: { readonly status: string }): boolean => thing.status === 'ACTIVE';

/** The authenticators whose methods are worth asking for: Okta Verify as one, or split into its parts (preview since 2026.08). */
export const oktaVerifyOf = (all: readonly Authenticator[]): readonly Authenticator[] =>
  all.filter(({ key }) => key === 'okta_verify' || key === 'okta_verify_fastpass');

/** @param methods of each authenticator, by its id */
export function judgeFastPass(
  all: readonly Authenticator[],
  methods: ReadonlyMap<string, readonly AuthenticatorMethod[]>,
): FastPassCheck {
  const active = oktaVerifyOf(all).filter(isActive);
  const signedNonce = active
    .flatMap(({ id }) => methods.get(id) ?? [])
    .find((method) => method.type === 'signed_nonce' && isActive(method));
  const split = active.some(({ key }) => key === 'okta_verify_fastpass');
  const warnings: string[] = [];
  if (signedNonce?.settings?.showSignInWithOV === 'NEVER') {
    warnings.push('The sign-in page does not show the "Sign in with Okta FastPass" button.');
  }
  if (signedNonce?.settings?.keyProtection === 'HARDWARE') {
    warnings.push('FastPass requires hardware-protected keys: virtual machines cannot enroll.');
  }
  if (active.some(({ settings }) => settings?.compliance?.fips === 'REQUIRED')) {
    warnings.push('Okta Verify must be FIPS compliant: other devices cannot enroll.');
  }
  return {
    oktaVerifyActive: active.length > 0,
    fastPassActive: signedNonce !== undefined || split,
    warnings,
  };
}

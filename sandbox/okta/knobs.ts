// How a pretend tenant is told to behave or to misbehave; changed by PATCH on the management port.
import { z } from 'zod';

const seconds = z.number().nonnegative();

const TenantKnobsShape = z.strictObject({
  organization: z.strictObject({
    /** `idx` is Identity Engine, `v1` Classic; `not_okta` returns a page that is not Okta's. */
    pipeline: z.enum(['idx', 'v1', 'not_okta']),
    /** Host of the custom domain; '' for none. */
    customDomain: z.string(),
  }),
  /** Of every response of this tenant, until `times` of them are used up (absent: until it is taken back with null). */
  outage: z
    .strictObject({
      kind: z.enum([
        'status_503',
        'connection_reset',
        'rate_limit',
        'concurrency_limit',
        'access_denied',
        'captive_portal',
      ]),
      times: z.number().int().positive().optional(),
      /** Only paths that begin with one of them. */
      paths: z.array(z.string()).optional(),
      /** Of so much of the requests; absent: of each. */
      share: z.number().gt(0).lte(1).optional(),
      /** Of a rate limit: when it says that it resets; absent: at the end of the minute. */
      resetSeconds: seconds.optional(),
    })
    .nullable(),
  /** Milliseconds before every response. */
  delayMs: seconds,
  /** Okta's clock against the sandbox's. */
  clockSkewSeconds: z.number(),
  tokens: z.strictObject({
    lifeSeconds: z.number().positive(),
    /** Requests come from outside the clients' network zone. */
    outsideNetworkZone: z.boolean(),
  }),
  authenticators: z.strictObject({
    /** `split`: okta_verify_totp, okta_verify_push, okta_verify_fastpass, as Okta previews them. */
    oktaVerify: z.enum(['active', 'inactive', 'missing', 'split']),
    fastPass: z.boolean(),
    showSignInWithOV: z.enum(['ALWAYS', 'NEVER']),
    keyProtection: z.enum(['ANY', 'HARDWARE']),
    fips: z.enum(['OPTIONAL', 'REQUIRED']),
  }),
  devices: z.strictObject({
    /** Search sees a change only after so many seconds. */
    searchDelaySeconds: seconds,
    /** The page after the first is empty and has a next one. */
    emptyMiddlePage: z.boolean(),
    /** Largest page, whatever `limit` asks for. */
    pageCap: z.number().int().min(1).max(200),
    /** What a device is after "unsuspend": Okta's page says ACTIVE, its schema knows UNSUSPENDED too. */
    unsuspendTo: z.enum(['ACTIVE', 'UNSUSPENDED']),
    /** To an app whose role shows it no devices: 403, or a list in which there is none (a role bound to resources). */
    withoutRole: z.enum(['refused', 'empty']),
  }),
  rateLimits: z.strictObject({
    apiPerMinute: z.number().int().positive(),
    tokensPerMinute: z.number().int().positive(),
  }),
  challenge: z.strictObject({
    lifeSeconds: z.number().positive(),
    encoding: z.enum(['utf8', 'utf16le', 'utf16le-bom']),
    /** `cache_full`: NDES's refusal; `sign_in_page`: a page without a challenge; `redirect`: to such a page; `forbidden`: 403. */
    page: z.enum(['challenge', 'cache_full', 'sign_in_page', 'redirect', 'forbidden']),
  }),
  scep: z.strictObject({
    /** Life of new certificates. */
    certificateSeconds: z.number().positive(),
    /** Refuses so many requests with badRequest. */
    refuse: z.number().int().nonnegative(),
    /** GetCACert returns registration and authority certificates, or the authority's alone. */
    getCaCert: z.enum(['chain', 'single']),
  }),
});

export type TenantKnobs = z.infer<typeof TenantKnobsShape>;

export const DEFAULT_KNOBS: TenantKnobs = {
  organization: { pipeline: 'idx', customDomain: '' },
  outage: null,
  delayMs: 0,
  clockSkewSeconds: 0,
  tokens: { lifeSeconds: 3600, outsideNetworkZone: false },
  authenticators: {
    oktaVerify: 'active',
    fastPass: true,
    showSignInWithOV: 'ALWAYS',
    keyProtection: 'ANY',
    fips: 'OPTIONAL',
  },
  devices: {
    searchDelaySeconds: 0,
    emptyMiddlePage: false,
    pageCap: 200,
    unsuspendTo: 'ACTIVE',
    withoutRole: 'refused',
  },
  rateLimits: { apiPerMinute: 1200, tokensPerMinute: 2000 },
  challenge: { lifeSeconds: 3600, encoding: 'utf8', page: 'challenge' },
  scep: { certificateSeconds: 365 * 24 * 3600, refuse: 0, getCaCert: 'chain' },
};

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A change names only what it changes. @throws z.ZodError naming an unknown or unfit knob */
export function changeKnobs(knobs: TenantKnobs, change: unknown): TenantKnobs {
  const merge = (present: Tree, wanted: Tree): Tree => {
    const merged = { ...present };
    for (const [key, value] of Object.entries(wanted)) {
      const kept = present[key];
      merged[key] = isTree(value) && isTree(kept) ? merge(kept, value) : value;
    }
    return merged;
  };
  return TenantKnobsShape.parse(merge({ ...knobs, outage: knobs.outage }, isTree(change) ? change : {}));
}

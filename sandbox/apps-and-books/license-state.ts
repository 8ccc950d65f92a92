// What a pretend Apps and Books location keeps on disk, and what happens to it as time goes by.
import { z } from 'zod';

interface AssetState {
  readonly adamId: string;
  readonly pricingParam: 'STDQ' | 'PLUS';
  readonly platforms: readonly string[];
  total: number;
  deviceAssignable: boolean;
}

interface LicenseEvent {
  readonly type: 'ASSOCIATE' | 'DISASSOCIATE';
  readonly assets: readonly { readonly adamId: string; readonly pricingParam: string }[];
  readonly serialNumbers: readonly string[];
  /** Milliseconds since 1970 by the sandbox's clock: done from then on. */
  readonly readyAt: number;
  status: 'PENDING' | 'COMPLETE' | 'FAILED';
  errorNumber?: number;
}

interface TokenState {
  /** The file's content: what comes in the Authorization header. */
  readonly content: string;
  readonly expiresAt: number;
  isRevoked: boolean;
}

export const LicenseKnobsShape = z.strictObject({
  /** Until an association is done. */
  associationSeconds: z.number().nonnegative(),
  /** So many associations fail with this number: 9709 not enough licenses, 9603 internal, 9644 maintenance. */
  failAssociations: z.strictObject({ times: z.number().int().nonnegative(), errorNumber: z.number().int() }),
  /** So many requests get 9646. */
  rateLimit: z.number().int().nonnegative(),
  /** So many requests get 503 with Retry-After. */
  unavailable: z.number().int().nonnegative(),
  /** Every error comes with HTTP 200. */
  errorsInside200: z.boolean(),
  pageSize: z.number().int().positive(),
});
type LicenseKnobs = z.infer<typeof LicenseKnobsShape>;

export interface LicenseState {
  readonly locationId: string;
  tokens: TokenState[];
  assets: AssetState[];
  /** `adamId serialNumber` of every license that a device holds. */
  assignments: string[];
  events: Record<string, LicenseEvent>;
  mdmInfo?: unknown;
  knobs: LicenseKnobs;
  counts: Record<string, number>;
}

const OKTA_VERIFY_ADAM_ID = '490179405';

export const newLicenseState = (): LicenseState => ({
  locationId: String(Math.floor(Math.random() * 1e15)),
  tokens: [],
  assets: [
    {
      adamId: OKTA_VERIFY_ADAM_ID,
      pricingParam: 'STDQ',
      platforms: ['iOS', 'macOS'],
      total: 1000,
      deviceAssignable: true,
    },
  ],
  assignments: [],
  events: {},
  knobs: {
    associationSeconds: 1,
    failAssociations: { times: 0, errorNumber: 9709 },
    rateLimit: 0,
    unavailable: 0,
    errorsInside200: false,
    pageSize: 100,
  },
  counts: {},
});

export const assignmentOf = (adamId: string, serialNumber: string): string => `${adamId} ${serialNumber}`;

export const assignedCount = (state: LicenseState, adamId: string): number =>
  state.assignments.filter((one) => one.startsWith(`${adamId} `)).length;

/** Finishes what is due; called before anybody looks, so that nothing has to wake up. True when something changed. */
export function settleEvents(state: LicenseState, now: number): boolean {
  const due = Object.values(state.events).filter(
    ({ status, readyAt }) => status === 'PENDING' && readyAt <= now,
  );
  for (const event of due) settle(state, event);
  return due.length > 0;
}

function settle(state: LicenseState, event: LicenseEvent): void {
  const wanted = event.assets.flatMap(({ adamId }) =>
    event.serialNumbers.map((serialNumber) => assignmentOf(adamId, serialNumber)),
  );
  if (event.type === 'DISASSOCIATE') {
    state.assignments = state.assignments.filter((one) => !wanted.includes(one));
    event.status = 'COMPLETE';
    return;
  }
  const { failAssociations } = state.knobs;
  const ordered = failAssociations.times > 0 ? failAssociations.errorNumber : undefined;
  if (ordered !== undefined) failAssociations.times -= 1;
  // Who holds one already needs no second one.
  const fresh = [...new Set(wanted)].filter((one) => !state.assignments.includes(one));
  const isShort = event.assets.some(({ adamId }) => {
    const asset = state.assets.find((known) => known.adamId === adamId);
    const needed = fresh.filter((one) => one.startsWith(`${adamId} `)).length;
    return (asset?.total ?? 0) - assignedCount(state, adamId) < needed;
  });
  const errorNumber = ordered ?? (isShort ? 9709 : undefined);
  if (errorNumber === undefined) {
    state.assignments.push(...fresh);
    event.status = 'COMPLETE';
  } else {
    event.status = 'FAILED';
    event.errorNumber = errorNumber;
  }
}

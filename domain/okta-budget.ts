// What one (integration, endpoint) of Okta may be asked for now: how many requests at once, who goes first, and when nobody may. Pure.
// The state is shared by all processes; times are milliseconds since the epoch, by one clock for all of them.
import { FAILURES, type FailureCode } from './failures.ts';

/** Who goes first: a device that is about to lose access; one that is being enrolled; everything else. */
export const LANES = ['lockout', 'enrollment', 'routine'] as const;
export type Lane = (typeof LANES)[number];

/** A request under way; one whose process died ends by itself. */
export interface Flight {
  readonly id: string;
  readonly endsAtMs: number;
  /** The only request while Okta may still refuse: everybody heeds what comes of it. */
  readonly isCanary: boolean;
  /** Of the credentials that it uses. */
  readonly version: string;
}

/** What X-Rate-Limit headers said last. */
interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly resetsAtMs: number;
}

/** As a response says it. */
export interface ToldQuota {
  readonly limit: number;
  readonly remaining: number;
  readonly resetsInMs: number;
}

export interface EndpointState {
  /** Of the credentials that the state is about: others are tried at once. */
  readonly version: string;
  readonly flights: readonly Flight[];
  /** Requests at once. Grows by one with each success, so that a tenant which answers again is not run over. */
  readonly window: number;
  readonly closed: { readonly untilMs: number; readonly code: FailureCode; readonly failures: number } | null;
  readonly quota: Quota | null;
}

export const newEndpoint = (version: string): EndpointState => ({
  version,
  flights: [],
  window: MAX_WINDOW,
  closed: null,
  quota: null,
});

/** Okta documents no limit for challenges; of tokens one is enough for everybody. */
export const MAX_WINDOW = 8;
const maxWindow = (endpoint: string): number => (endpoint === TOKEN_ENDPOINT ? 1 : MAX_WINDOW);
export const TOKEN_ENDPOINT = 'oauth2';
export const CHALLENGE_ENDPOINT = 'challenge';

/** Longer than a request may take. */
export const FLIGHT_MS = 20_000;
/** This part of a quota is left to those who go first, and to others who use the same tenant. */
const LEFT: Readonly<Record<Lane, number>> = { lockout: 0.05, enrollment: 0.1, routine: 0.25 };
/** A canary is under way: its answer comes soon. */
const CANARY_PATIENCE_MS = 2_000;

export type Admission =
  | { readonly kind: 'go'; readonly flight: Flight; readonly state: EndpointState }
  /** As many as may be are under way. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'closed'; readonly code: FailureCode; readonly waitMs: number };

export function admit(
  known: EndpointState,
  asked: { readonly endpoint: string; readonly lane: Lane; readonly version: string; readonly id: string },
  nowMs: number,
): Admission {
  const { endpoint, lane, version, id } = asked;
  // Other credentials: what was refused says nothing of them, and nobody knows yet whether they are taken.
  const state =
    known.version === version ? known : { ...newEndpoint(version), window: 1, quota: known.quota };
  const flights = state.flights.filter(({ endsAtMs }) => endsAtMs > nowMs);
  const { closed, quota } = state;
  if (closed !== null) {
    if (nowMs < closed.untilMs) return { kind: 'closed', code: closed.code, waitMs: closed.untilMs - nowMs };
    if (flights.some(({ isCanary }) => isCanary))
      return { kind: 'closed', code: closed.code, waitMs: CANARY_PATIENCE_MS };
  } else if (flights.length >= Math.min(state.window, maxWindow(endpoint))) return { kind: 'busy' };
  const isUsedUp =
    quota !== null && nowMs < quota.resetsAtMs && quota.remaining <= Math.floor(quota.limit * LEFT[lane]);
  if (isUsedUp) return { kind: 'closed', code: 'okta.rate_limited', waitMs: quota.resetsAtMs - nowMs };
  const flight = { id, endsAtMs: nowMs + FLIGHT_MS, isCanary: closed !== null, version };
  return {
    kind: 'go',
    flight,
    state: {
      ...state,
      flights: [...flights, flight],
      quota: quota === null ? null : { ...quota, remaining: quota.remaining - 1 },
    },
  };
}

export type Outcome =
  | { readonly kind: 'answered'; readonly quota: ToldQuota | null }
  /** `waitMs`: what Okta asked for; absent: it said nothing. */
  | { readonly kind: 'refused'; readonly code: FailureCode; readonly waitMs?: number };

/** Until somebody acts. A wrong password, tried often, locks an account. */
const PERSON_WAIT_MS = 10 * 60_000;
const FIRST_WAIT_MS = 2_000;
const MAX_OUTAGE_WAIT_MS = 30_000;
const JITTER = 0.2;

/** @param random from 0 to 1: processes do not come back together, and never sooner than Okta asked for */
export function settle(
  state: EndpointState,
  flight: Flight,
  outcome: Outcome,
  nowMs: number,
  random: number,
): EndpointState {
  const landed = { ...state, flights: state.flights.filter(({ id }) => id !== flight.id) };
  if (state.version !== flight.version) return landed;
  const { closed } = state;
  if (outcome.kind === 'answered') {
    const quota = outcome.quota === null ? state.quota : newestQuota(state.quota, outcome.quota, nowMs);
    // One that began before the refusal says nothing of now.
    if (closed !== null && !flight.isCanary) return { ...landed, quota };
    const window = closed === null ? Math.min(MAX_WINDOW, state.window + 1) : 1;
    return { ...landed, window, quota, closed: null };
  }
  const isLate = closed !== null && !flight.isCanary;
  const failures = (closed?.failures ?? 0) + (isLate ? 0 : 1);
  const wait = waitAfter(outcome, failures) * (1 + JITTER * random);
  const untilMs = Math.max(isLate ? closed.untilMs : 0, Math.ceil(nowMs + wait));
  return { ...landed, window: 1, closed: { untilMs, code: outcome.code, failures } };
}

function waitAfter({ code, waitMs }: Outcome & { readonly kind: 'refused' }, failures: number): number {
  if (waitMs !== undefined) return waitMs;
  if (FAILURES[code].owner === 'admin') return PERSON_WAIT_MS;
  return Math.min(MAX_OUTAGE_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10));
}

/** Answers come out of order: within one window the least counts. */
function newestQuota(known: Quota | null, { limit, remaining, resetsInMs }: ToldQuota, nowMs: number): Quota {
  const told = { limit, remaining, resetsAtMs: nowMs + resetsInMs };
  const isSame = known !== null && Math.abs(known.resetsAtMs - told.resetsAtMs) < 2_000;
  return isSame ? { ...told, remaining: Math.min(known.remaining, remaining) } : told;
}

/** Okta's own word, its absence, or a setting that a person fixes: everybody heeds it. Anything else is an answer like any other. */
export const closesEndpoint = (code: FailureCode): boolean =>
  code.startsWith('okta.') &&
  (code === 'okta.rate_limited' || code === 'okta.unreachable' || FAILURES[code].owner === 'admin');

interface EndpointChange<T> {
  readonly state: EndpointState;
  readonly result: T;
  /** A request begins with it: its secret must still be the one in use. */
  readonly beginsRequest?: boolean;
}

/** Where the state of an integration's endpoints is; every process that speaks to the same tenant shares it. */
export interface EndpointStore {
  /**
   * Holds nobody up. `nowMs` is the store's clock. Where another one was sooner `decide` is asked again; the state that it was given writes
   * nothing.
   * @throws CataloguedError `secrets.replaced` when a request would begin with a secret that was rotated away
   */
  change<T>(
    endpoint: string,
    version: string,
    decide: (state: EndpointState, nowMs: number) => EndpointChange<T>,
  ): Promise<T>;
  /** What an answered request leaves behind: kept with the next change, or a moment later. A place that is lost so comes free by itself. */
  land(endpoint: string, version: string, landed: Landing): void;
}

/** Changes the state; it may be asked again. */
export type Landing = (state: EndpointState, nowMs: number) => EndpointState;

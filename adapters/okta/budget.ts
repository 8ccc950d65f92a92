// Every request to Okta goes through here: it waits for its turn, and what comes of it is heeded by all processes.
import { randomUUID } from 'node:crypto';
import { CataloguedError } from '../../domain/failures.ts';
import {
  admit,
  closesEndpoint,
  LANES,
  MAX_WINDOW,
  newEndpoint,
  settle,
  type Admission,
  type EndpointState,
  type EndpointStore,
  type Flight,
  type Landing,
  type Lane,
  type Outcome,
  type ToldQuota,
} from '../../domain/okta-budget.ts';

/** A request that finds no turn for so long gives its place up: whoever asked comes back later. */
const MAX_TURN_MS = 5_000;
/** Another process may have given a place back, which nobody tells this one: looked at after so long, then twice as long, up to the most. */
const FIRST_LOOK_MS = 50;
const MAX_LOOK_MS = 400;
const NO_TURN_MS = 3_000;

export class OktaBudget {
  readonly #store: EndpointStore;
  readonly #version: string;
  readonly #turns: Turns;
  readonly #maxTurnMs: number;

  /**
   * @param version of the credentials; others are tried at once, whatever these were told
   * @param options.turns of this process for this store; shared by the budgets of one integration
   * @param options.maxTurnMs for which a turn is waited
   */
  constructor(
    store: EndpointStore,
    version: string,
    { turns = new Turns(), maxTurnMs = MAX_TURN_MS }: { turns?: Turns; maxTurnMs?: number } = {},
  ) {
    this.#store = store;
    this.#version = version;
    this.#turns = turns;
    this.#maxTurnMs = maxTurnMs;
  }

  /**
   * Runs one request in its turn.
   * @throws CataloguedError what `request` throws; while the endpoint is closed the code that closed it, with the time left
   */
  async within<T>(
    endpoint: string,
    lane: Lane,
    request: () => Promise<T>,
    quotaOf: (response: T) => ToldQuota | null = () => null,
  ): Promise<T> {
    const flight = await this.#turns.take(
      endpoint,
      lane,
      () => this.#admitted(endpoint, lane),
      this.#maxTurnMs,
    );
    let outcome: Outcome = { kind: 'answered', quota: null };
    try {
      const response = await request();
      outcome = { kind: 'answered', quota: quotaOf(response) };
      return response;
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      const landed: Landing = (state, nowMs) => settle(state, flight, outcome, nowMs, Math.random());
      // A refusal is heeded by everybody from now on.
      if (outcome.kind === 'answered') this.#store.land(endpoint, this.#version, landed);
      else
        await this.#store.change(endpoint, this.#version, (state, nowMs) => ({
          state: landed(state, nowMs),
          result: undefined,
        }));
      this.#turns.placeFreed(endpoint);
    }
  }

  async #admitted(endpoint: string, lane: Lane): Promise<Flight> {
    const asked = { endpoint, lane, version: this.#version, id: randomUUID() };
    const began = performance.now();
    let admission = await this.#ask(asked);
    for (let looks = 0; admission.kind === 'busy'; looks += 1) {
      const leftMs = began + this.#maxTurnMs - performance.now();
      if (leftMs <= 0) throw noTurn(endpoint);
      const lookMs = Math.min(MAX_LOOK_MS, FIRST_LOOK_MS * 2 ** looks) * (1 + Math.random());
      await this.#turns.untilPlaceFreed(endpoint, Math.min(leftMs, lookMs));
      admission = await this.#ask(asked);
    }
    if (admission.kind === 'closed')
      throw new CataloguedError(admission.code, {
        retryAfterMs: Math.ceil(admission.waitMs),
        facts: { endpoint },
      });
    return admission.flight;
  }

  #ask(asked: Parameters<typeof admit>[1]): Promise<Admission> {
    return this.#store.change(asked.endpoint, this.#version, (state, nowMs) => {
      const result = admit(state, asked, nowMs);
      const isGo = result.kind === 'go';
      return { state: isGo ? result.state : state, result, beginsRequest: isGo };
    });
  }
}

const noTurn = (endpoint: string): CataloguedError =>
  new CataloguedError('okta.rate_limited', {
    retryAfterMs: Math.round(NO_TURN_MS * (1 + Math.random())),
    facts: { endpoint, reason: NO_TURN },
  });

const NO_TURN = 'no turn';
/** Okta has refused nothing: there was no place for the request. */
export const isNoTurn = ({ facts }: CataloguedError): boolean => facts['reason'] === NO_TURN;

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof CataloguedError) || !closesEndpoint(error.code))
    return { kind: 'answered', quota: null };
  const { code, retryAfterMs: waitMs } = error;
  return { kind: 'refused', code, ...(waitMs !== undefined && { waitMs }) };
}

/** Those of this process that ask for one endpoint: only so many at once, the urgent ones first. */
export class Turns {
  readonly #asking = new Map<string, number>();
  readonly #waiting = new Map<string, { readonly lane: Lane; readonly begin: () => void }[]>();
  /** Those whose turn it is, while all places at Okta are taken. */
  readonly #looking = new Map<string, (() => void)[]>();

  /** A request of this process ended: the one that waits longest looks at once. */
  placeFreed(endpoint: string): void {
    this.#looking.get(endpoint)?.shift()?.();
  }

  async untilPlaceFreed(endpoint: string, atMostMs: number): Promise<void> {
    const looking = this.#looking.get(endpoint) ?? [];
    this.#looking.set(endpoint, looking);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        looking.splice(looking.indexOf(wake), 1);
        resolve();
      }, atMostMs);
      looking.push(wake);
    });
  }

  async take<T>(endpoint: string, lane: Lane, work: () => Promise<T>, maxTurnMs: number): Promise<T> {
    await this.#turn(endpoint, lane, maxTurnMs);
    try {
      return await work();
    } finally {
      this.#asking.set(endpoint, (this.#asking.get(endpoint) ?? 1) - 1);
      this.#next(endpoint);
    }
  }

  async #turn(endpoint: string, lane: Lane, maxTurnMs: number): Promise<void> {
    const waiting = this.#waiting.get(endpoint) ?? [];
    this.#waiting.set(endpoint, waiting);
    await new Promise<void>((resolve, reject) => {
      const entry = { lane, begin: resolve };
      const timer = setTimeout(() => {
        const place = waiting.indexOf(entry);
        if (place < 0) return;
        waiting.splice(place, 1);
        reject(noTurn(endpoint));
      }, maxTurnMs);
      entry.begin = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.push(entry);
      this.#next(endpoint);
    });
  }

  #next(endpoint: string): void {
    const asking = this.#asking.get(endpoint) ?? 0;
    const waiting = this.#waiting.get(endpoint) ?? [];
    if (asking >= MAX_WINDOW || waiting.length === 0) return;
    const [lane = 'routine'] = LANES.filter((each) => waiting.some((entry) => entry.lane === each));
    const [first] = waiting.splice(
      waiting.findIndex((entry) => entry.lane === lane),
      1,
    );
    this.#asking.set(endpoint, asking + 1);
    first?.begin();
  }
}

/** For a tenant that is not connected yet: a setup's own questions. */
export function processEndpoints(): EndpointStore {
  const states = new Map<string, EndpointState>();
  const stateOf = (endpoint: string, version: string): EndpointState =>
    states.get(endpoint) ?? newEndpoint(version);
  return {
    change(endpoint, version, decide) {
      const { state, result } = decide(stateOf(endpoint, version), Date.now());
      states.set(endpoint, state);
      return Promise.resolve(result);
    },
    land(endpoint, version, landed) {
      states.set(endpoint, landed(stateOf(endpoint, version), Date.now()));
    },
  };
}

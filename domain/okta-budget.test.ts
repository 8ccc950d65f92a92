// The budget of one endpoint of Okta, as every process sees it.
import { describe, expect, it } from 'vitest';
import {
  admit,
  closesEndpoint,
  FLIGHT_MS,
  MAX_WINDOW,
  newEndpoint,
  settle,
  type EndpointState,
  type Flight,
  type Lane,
  type Outcome,
} from './okta-budget.ts';

const NOW = 1_000_000;
const ANSWERED: Outcome = { kind: 'answered', quota: null };
const LIMITED: Outcome = { kind: 'refused', code: 'okta.rate_limited', waitMs: 10_000 };
const AWAY: Outcome = { kind: 'refused', code: 'okta.unreachable' };
const WRONG: Outcome = { kind: 'refused', code: 'okta.challenge_credentials_refused' };
let ids = 0;

class Endpoint {
  state: EndpointState = newEndpoint('1');
  nowMs = NOW;
  readonly name: string;
  constructor(name = 'challenge') {
    this.name = name;
  }
  ask(lane: Lane = 'routine', version = '1') {
    const asked = { endpoint: this.name, lane, version, id: String((ids += 1)) };
    const admission = admit(this.state, asked, this.nowMs);
    if (admission.kind === 'go') this.state = admission.state;
    return admission;
  }
  fly(lane?: Lane, version?: string): Flight {
    const admission = this.ask(lane, version);
    if (admission.kind !== 'go') throw new Error(admission.kind);
    return admission.flight;
  }
  land(flight: Flight, outcome: Outcome, random = 0): void {
    this.state = settle(this.state, flight, outcome, this.nowMs, random);
  }
  /** Asks as often as it is let. */
  fill(): Flight[] {
    const flights = [];
    for (let each = this.ask(); each.kind === 'go'; each = this.ask()) flights.push(each.flight);
    return flights;
  }
}

describe('an open endpoint', () => {
  it('has so many requests at once, and of tokens one', () => {
    expect(new Endpoint().fill()).toHaveLength(MAX_WINDOW);
    expect(new Endpoint('oauth2').fill()).toHaveLength(1);
  });

  it('gives the place of a process that died to another', () => {
    const endpoint = new Endpoint();
    endpoint.fill();
    endpoint.nowMs += FLIGHT_MS - 1;
    expect(endpoint.ask().kind).toBe('busy');
    endpoint.nowMs += 1;
    expect(endpoint.fill()).toHaveLength(MAX_WINDOW);
  });
});

describe('a 429', () => {
  it('closes the endpoint to everybody for as long as Okta asked, and a little more', () => {
    const endpoint = new Endpoint();
    const [first, ...others] = endpoint.fill();
    endpoint.land(first!, LIMITED, 1);
    expect(endpoint.ask('lockout')).toEqual({ kind: 'closed', code: 'okta.rate_limited', waitMs: 12_000 });
    // What was on its way opens nothing.
    for (const flight of others) endpoint.land(flight, ANSWERED);
    expect(endpoint.ask().kind).toBe('closed');
  });

  it('is followed by one canary, whose success opens for one, then two, and so on', () => {
    const endpoint = new Endpoint();
    endpoint.land(endpoint.fill()[0]!, LIMITED);
    endpoint.nowMs += FLIGHT_MS;
    const [canary, ...more] = endpoint.fill();
    expect([canary?.isCanary, more.length]).toEqual([true, 0]);
    expect(endpoint.ask()).toMatchObject({ kind: 'closed', code: 'okta.rate_limited' });
    endpoint.land(canary!, ANSWERED);
    const sizes = [];
    for (let round = 0; round < 4; round += 1) {
      const flights = endpoint.fill();
      sizes.push(flights.length);
      for (const flight of flights) endpoint.land(flight, ANSWERED);
    }
    expect(sizes).toEqual([1, 2, 4, 8]);
  });

  it('of a later one among those under way makes the wait no shorter', () => {
    const endpoint = new Endpoint();
    const [first, second] = endpoint.fill();
    endpoint.land(first!, { ...LIMITED, waitMs: 60_000 });
    endpoint.land(second!, { ...LIMITED, waitMs: 1_000 });
    expect(endpoint.ask()).toMatchObject({ waitMs: 60_000 });
  });
});

describe('an outage', () => {
  it('is asked about once in 2 to 30 seconds, however long it lasts', () => {
    const endpoint = new Endpoint();
    const waits = [];
    endpoint.land(endpoint.fill()[0]!, AWAY);
    endpoint.nowMs += FLIGHT_MS;
    for (let round = 0; round < 6; round += 1) {
      const [canary, ...more] = endpoint.fill();
      expect(more).toEqual([]);
      endpoint.land(canary!, AWAY);
      const { waitMs } = endpoint.ask() as { waitMs: number };
      waits.push(waitMs);
      endpoint.nowMs += waitMs;
    }
    expect(waits).toEqual([4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
});

describe('a refused password', () => {
  it('is tried again once in ten minutes, and another one at once', () => {
    const endpoint = new Endpoint();
    endpoint.land(endpoint.fly(), WRONG);
    expect(endpoint.ask()).toMatchObject({ kind: 'closed', waitMs: 600_000 });
    const canary = endpoint.fly('enrollment', '2');
    expect(endpoint.ask('enrollment', '2').kind).toBe('busy');
    endpoint.land(canary, ANSWERED);
    expect(endpoint.ask('enrollment', '2').kind).toBe('go');
  });

  it('of an older version says nothing of the present one', () => {
    const endpoint = new Endpoint();
    const old = endpoint.fly();
    endpoint.land(endpoint.fly('enrollment', '2'), ANSWERED);
    endpoint.land(old, WRONG);
    expect(endpoint.ask('routine', '2').kind).toBe('go');
  });
});

describe("Okta's quota", () => {
  it('is left first by routine, then by enrollments; a device at risk of lockout goes on', () => {
    const lanes = (remaining: number) => {
      const endpoint = new Endpoint('api/v1/devices');
      const quota = { limit: 100, remaining, resetsInMs: 30_000 };
      endpoint.land(endpoint.fly(), { kind: 'answered', quota });
      return (['routine', 'enrollment', 'lockout'] as const).map((lane) => endpoint.ask(lane).kind);
    };
    expect(lanes(26)).toEqual(['go', 'go', 'go']);
    expect(lanes(25)).toEqual(['closed', 'go', 'go']);
    expect(lanes(10)).toEqual(['closed', 'closed', 'go']);
    expect(lanes(5)).toEqual(['closed', 'closed', 'closed']);
  });

  it('is counted down by what is under way, and begins anew at its reset', () => {
    const endpoint = new Endpoint('api/v1/devices');
    const quota = { limit: 100, remaining: 27, resetsInMs: 30_000 };
    endpoint.land(endpoint.fly(), { kind: 'answered', quota });
    expect(endpoint.fill()).toHaveLength(2);
    endpoint.nowMs += 30_000;
    expect(endpoint.ask().kind).toBe('go');
  });
});

it.each([
  ['okta.rate_limited', true],
  ['okta.unreachable', true],
  ['okta.client_secret_wrong', true],
  ['okta.challenge_credentials_refused', true],
  ['okta.challenge_unexpected_page', true],
  ['okta.not_found', false],
  ['okta.device_gone', false],
  ['okta.token_invalid', false],
  ['okta.unexpected_response', false],
  ['store.unavailable', false],
] as const)('%s closes the endpoint to everybody: %s', (code, expected) => {
  expect(closesEndpoint(code)).toBe(expected);
});

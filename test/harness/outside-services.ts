// Okta, its challenge page and Apps and Books as objects of the test's own process, for tests of workflows.
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConfirmedDevices, DeviceFilter } from '../../adapters/okta/okta-client.ts';
import type { OktaDevice } from '../../adapters/okta/okta-device.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { openTlsService } from './pretend-okta.ts';

/** Okta's challenge page: each fetch makes one, each is redeemed once. */
export async function openChallenges() {
  const service = await openTlsService();
  const valid = new Set<string>();
  const state = {
    fetched: 0,
    status: 200,
    /** Of every request: a status instead of a challenge; undefined: as `status` says. */
    refuse: undefined as (() => number | undefined) | undefined,
    /** The only password that is taken; undefined: any. */
    password: undefined as string | undefined,
    /** What a 429 asks to wait, in seconds. */
    retryAfterSeconds: 1,
    /** Until then it answers nobody. */
    answers: undefined as Promise<void> | undefined,
  };
  /** What reached it, from whichever process. */
  const counts = { requests: 0, refused: 0, afterRefusal: 0, underWay: 0, mostAtOnce: 0, early: 0 };
  /** Of every request, the oldest first. */
  const passwords: string[] = [];
  let closedUntilMs = 0;
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, encoded = ''] = request.headers.authorization?.split(' ') ?? [];
    const password = Buffer.from(encoded, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '');
    passwords.push(password);
    counts.requests += 1;
    counts.underWay += 1;
    counts.mostAtOnce = Math.max(counts.mostAtOnce, counts.underWay);
    if (counts.refused > 0) counts.afterRefusal += 1;
    if (Date.now() < closedUntilMs) counts.early += 1;
    // As long as Okta takes, so that others come meanwhile.
    await pause(10);
    await state.answers;
    counts.underWay -= 1;
    const isWrong = state.password !== undefined && password !== state.password;
    const status = isWrong ? 401 : (state.refuse?.() ?? state.status);
    if (status !== 200) {
      counts.refused += 1;
      if (status === 429) closedUntilMs = Date.now() + state.retryAfterSeconds * 1000;
      const headers = status === 429 ? { 'retry-after': String(state.retryAfterSeconds) } : {};
      return void response.writeHead(status, headers).end();
    }
    state.fetched += 1;
    const challenge = randomBytes(24).toString('base64url');
    valid.add(challenge);
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<HTML><Body><P>The enrollment challenge password is: <B> ${challenge} </B></P></Body></HTML>`);
  };
  service.serve((request, response) => void respond(request, response));
  return {
    host: service.host,
    state,
    counts,
    passwords,
    redeem: (challenge: string) => valid.delete(challenge),
    close: () => service.close(),
  };
}

export function licensesOf(knobs: {
  readonly licenses: 'assigned' | 'pending' | 'none_left' | 'refused' | 'unreachable';
  readonly held: Set<string>;
  readonly refusedTo: ReadonlyMap<string, FailureCode>;
}) {
  /** Another device took the last license meanwhile. */
  const tooLate = new Set<string>();
  const isTooLate = (serialNumber: string) =>
    knobs.refusedTo.get(serialNumber) === 'apps_and_books.no_license_left';
  return {
    location: () => Promise.resolve({ name: 'Test' }),
    asset: () =>
      Promise.resolve([
        {
          adamId: OKTA_VERIFY.adamId,
          pricingParam: 'STDQ',
          available: knobs.licenses === 'none_left' ? 0 : 10,
          total: 10,
          isDeviceAssignable: true,
          platforms: [],
        },
      ]),
    findAssignment: async (adamId: string, serialNumber: string) => {
      await Promise.resolve();
      const refusal = knobs.refusedTo.get(serialNumber);
      if (refusal !== undefined && !isTooLate(serialNumber)) throw new CataloguedError(refusal);
      if (knobs.licenses === 'refused') throw new CataloguedError('apps_and_books.token_refused');
      if (knobs.licenses === 'unreachable') throw new CataloguedError('apps_and_books.unreachable');
      return knobs.held.has(serialNumber) ? { adamId, serialNumber, pricingParam: 'STDQ' } : undefined;
    },
    associate: ({ serialNumbers }: { readonly serialNumbers: readonly string[] }) => {
      const eventId = randomUUID();
      if (serialNumbers.some(isTooLate)) tooLate.add(eventId);
      else for (const serialNumber of serialNumbers) knobs.held.add(serialNumber);
      return Promise.resolve({ eventId });
    },
    disassociate: ({ serialNumber }: { readonly serialNumber: string }) => {
      knobs.held.delete(serialNumber);
      return Promise.resolve({ eventId: randomUUID() });
    },
    status: (eventId: string) =>
      Promise.resolve(
        tooLate.has(eventId)
          ? ({ state: 'failed', error: new CataloguedError('apps_and_books.no_license_left') } as const)
          : knobs.licenses === 'assigned'
            ? ({ state: 'complete' } as const)
            : ({ state: 'pending' } as const),
      ),
  };
}

export function oktaOf(knobs: { readonly oktaDevices: readonly OktaDevice[]; oktaRefusals: number }) {
  /** So many look-ups are refused. */
  const unlessRefused = <Response>(response: Response): Promise<Response> => {
    if (knobs.oktaRefusals === 0) return Promise.resolve(response);
    knobs.oktaRefusals -= 1;
    return Promise.reject(new CataloguedError('okta.rate_limited', { retryAfterMs: 100 }));
  };
  return {
    token: () => Promise.resolve({ scopes: [] }),
    listDevices: () => Promise.resolve({ devices: knobs.oktaDevices }),
    findDevices: ({ platform, serialNumber }: DeviceFilter) =>
      unlessRefused(
        knobs.oktaDevices.filter(
          (device) =>
            device.platform === platform &&
            (serialNumber === undefined || device.serialNumber === serialNumber),
        ),
      ),
    confirm: (ids: readonly string[]): Promise<ConfirmedDevices> =>
      Promise.resolve({
        present: knobs.oktaDevices.filter(({ id }) => ids.includes(id)),
        gone: ids.filter((id) => !knobs.oktaDevices.some((device) => device.id === id)),
      }),
  };
}

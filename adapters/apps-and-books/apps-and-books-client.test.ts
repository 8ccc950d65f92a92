// The client against a pretend Apps and Books over TLS: licenses that take time, refusals inside HTTP 200, waiting times.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CataloguedError } from '../../domain/failures.ts';
import { openPretendAppsAndBooks, type PretendAppsAndBooks } from '../../test/harness/pretend-okta.ts';
import { AppsAndBooksClient } from './apps-and-books-client.ts';
import { readToken } from './server-token.ts';

const OKTA_VERIFY = '490179405';

let shop: PretendAppsAndBooks;
let client: AppsAndBooksClient;

beforeAll(async () => {
  shop = await openPretendAppsAndBooks();
  client = new AppsAndBooksClient({ url: `${shop.url}/`, token: await shop.newToken() });
});
afterAll(() => shop.close());

const change = (path: string, body: object) => shop.manage('PATCH', path, body);
beforeEach(async () =>
  change('/knobs', {
    associationSeconds: 10,
    failAssociations: { times: 0, errorNumber: 9709 },
    rateLimit: 0,
    unavailable: 0,
    errorsInside200: false,
  }),
);

const failure = async (work: Promise<unknown>): Promise<CataloguedError> =>
  work.then(
    () => expect.fail('nothing was refused'),
    (error: unknown) => error as CataloguedError,
  );
const associate = async (...serialNumbers: string[]): Promise<string> =>
  (await client.associate({ adamId: OKTA_VERIFY, pricingParam: 'STDQ', serialNumbers })).eventId;

describe('the server token', () => {
  it('is read with its organization and its end', async () => {
    const content = await shop.newToken({ organization: 'Acme', lifeDays: 10 });
    const read = readToken(`${content.slice(0, 40)}\n${content.slice(40)}\n`);
    expect(read).toMatchObject({ token: content, organization: 'Acme' });
    expect(Math.round((read.expiresAt.getTime() - Date.now()) / 86_400_000)).toBe(10);
  });

  it.each([
    '',
    'not base64!',
    Buffer.from('{"token":"x"}').toString('base64'),
    '-----BEGIN CERTIFICATE-----',
  ])('%j is refused', (content) => {
    expect(() => readToken(content)).toThrow(
      expect.objectContaining({ code: 'apps_and_books.token_invalid' }),
    );
  });

  it('that Apple does not know or has let expire is refused', async () => {
    const stranger = new AppsAndBooksClient({ url: shop.url, token: 'c3RyYW5nZXI=' });
    expect((await failure(stranger.location())).code).toBe('apps_and_books.token_refused');
    const old = new AppsAndBooksClient({ url: shop.url, token: await shop.newToken({ lifeDays: 1 }) });
    expect(await old.location()).toEqual({ name: 'Sandbox' });
    shop.clock.move(2 * 86_400_000);
    expect((await failure(old.location())).code).toBe('apps_and_books.token_refused');
    shop.clock.move(-2 * 86_400_000);
  });
});

describe('a license', () => {
  it('is there some time after it was asked for, and is given once', async () => {
    const eventId = await associate('C02A');
    expect(await client.status(eventId)).toEqual({ state: 'pending' });
    expect(await client.findAssignment(OKTA_VERIFY, 'C02A')).toBeUndefined();
    shop.clock.move(10_000);
    expect(await client.status(eventId)).toEqual({ state: 'complete' });
    expect(await client.findAssignment(OKTA_VERIFY, 'C02A')).toMatchObject({ pricingParam: 'STDQ' });
    expect(await shop.hasLicense('C02A', OKTA_VERIFY)).toBe(true);
    const again = await associate('C02A');
    shop.clock.move(10_000);
    expect(await client.status(again)).toEqual({ state: 'complete' });
    expect(await client.asset(OKTA_VERIFY)).toEqual([
      {
        adamId: OKTA_VERIFY,
        pricingParam: 'STDQ',
        available: 999,
        total: 1000,
        isDeviceAssignable: true,
        platforms: ['iOS', 'macOS'],
      },
    ]);
    expect(await client.asset('1')).toEqual([]);
  });

  it('that is given back is there for another device some time later', async () => {
    await associate('C02R');
    shop.clock.move(10_000);
    const held = await client.findAssignment(OKTA_VERIFY, 'C02R');
    if (held === undefined) expect.fail('none was assigned');
    const [before] = await client.asset(OKTA_VERIFY);
    const { eventId } = await client.disassociate(held);
    expect(await client.status(eventId)).toEqual({ state: 'pending' });
    shop.clock.move(10_000);
    expect(await client.status(eventId)).toEqual({ state: 'complete' });
    expect(await client.findAssignment(OKTA_VERIFY, 'C02R')).toBeUndefined();
    expect((await client.asset(OKTA_VERIFY))[0]?.available).toBe((before?.available ?? 0) + 1);
  });

  it('that is not left fails the event, not the request', async () => {
    await change(`/assets/${OKTA_VERIFY}`, { total: 1 });
    const eventId = await associate('C02B', 'C02C');
    shop.clock.move(10_000);
    const status = await client.status(eventId);
    expect(status).toMatchObject({ state: 'failed', error: { code: 'apps_and_books.no_license_left' } });
    await change(`/assets/${OKTA_VERIFY}`, { total: 1000 });
  });

  it('event may fail for a while', async () => {
    await change('/knobs', { failAssociations: { times: 1, errorNumber: 9603 } });
    const eventId = await associate('C02D');
    shop.clock.move(10_000);
    expect(await client.status(eventId)).toMatchObject({
      state: 'failed',
      error: { code: 'apps_and_books.unreachable' },
    });
  });
});

describe('a refusal', () => {
  it('inside HTTP 200 is seen', async () => {
    expect(await failure(client.status('nobody'))).toMatchObject({
      code: 'apps_and_books.unexpected_response',
      facts: { status: 200, errorNumber: 9708 },
    });
    await change('/knobs', { errorsInside200: true, rateLimit: 1 });
    expect(await failure(client.location())).toMatchObject({
      code: 'apps_and_books.rate_limited',
      retryAfterMs: 5_000,
    });
  });

  it('for too many requests or for maintenance says how long to wait', async () => {
    await change('/knobs', { rateLimit: 1 });
    expect(await failure(client.location())).toMatchObject({
      code: 'apps_and_books.rate_limited',
      retryAfterMs: 5_000,
    });
    await change('/knobs', { unavailable: 1 });
    expect(await failure(client.location())).toMatchObject({
      code: 'apps_and_books.unreachable',
      retryAfterMs: 5_000,
    });
  });

  it('of the whole service is apps_and_books.unreachable', async () => {
    const nobody = new AppsAndBooksClient({ url: 'https://127.0.0.1:9/mdm/v2', token: 'x' });
    expect((await failure(nobody.location())).code).toBe('apps_and_books.unreachable');
  });

  it('of a revoked token needs a new one', async () => {
    await shop.manage('POST', '/tokens/revoke', {});
    expect((await failure(client.location())).code).toBe('apps_and_books.token_refused');
  });
});

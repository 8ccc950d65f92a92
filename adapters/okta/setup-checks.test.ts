// What the setup checks before it believes an admin's paste: organization, challenge, SCEP URL.
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FAILURES, type CataloguedError, type FailureCode } from '../../domain/failures.ts';
import { closesEndpoint } from '../../domain/okta-budget.ts';
import * as admin from '../../sandbox/okta/admin.ts';
import { renewIntermediate } from '../../sandbox/okta/authority.ts';
import { changeKnobs, DEFAULT_KNOBS } from '../../sandbox/okta/knobs.ts';
import { openPretendOkta, openTlsService, type PretendOkta } from '../../test/harness/pretend-okta.ts';
import { fetchChallenge } from './challenge.ts';
import { guardedHttp } from './guarded-http.ts';
import { readOrganization } from './organization.ts';
import { checkScepUrl } from './scep-check.ts';

let okta: PretendOkta;
let macOS: Awaited<ReturnType<typeof admin.addMacPlatform>>;

beforeAll(async () => {
  okta = await openPretendOkta();
  macOS = await admin.addMacPlatform(okta.tenant);
});
afterAll(async () => okta.close());
beforeEach(() => {
  okta.tenant.state.knobs = structuredClone(DEFAULT_KNOBS);
});

const knobs = (change: object): void => {
  okta.tenant.state.knobs = changeKnobs(okta.tenant.state.knobs, change);
};
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as CataloguedError).code,
  );
const challengeAccess = (change: object = {}) => ({
  url: macOS.challengeUrl,
  username: macOS.username,
  password: macOS.password,
  allowedPrivateHosts: [okta.host],
  ...change,
});

describe('the organization', () => {
  const read = () => readOrganization(okta.host, guardedHttp([okta.host]));

  it('is Identity Engine, with its custom domain', async () => {
    knobs({ organization: { customDomain: 'id.acme.example' } });
    expect(await read()).toEqual({
      orgId: okta.tenant.state.orgId,
      host: okta.host,
      pipeline: 'idx',
      customDomain: 'id.acme.example',
    });
  });

  it('may be Classic, or not Okta at all, or silent', async () => {
    knobs({ organization: { pipeline: 'v1' } });
    expect((await read()).pipeline).toBe('v1');
    knobs({ organization: { pipeline: 'not_okta' } });
    expect(await codeOf(read())).toBe('okta.not_okta');
    knobs({ outage: { kind: 'connection_reset' } });
    expect(await codeOf(read())).toBe('okta.unreachable');
  });
});

describe('the challenge', () => {
  it('is fresh each time, in 32 characters of base64url', async () => {
    const [first, second] = [
      await fetchChallenge(challengeAccess()),
      await fetchChallenge(challengeAccess()),
    ];
    expect(first).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(second).not.toBe(first);
  });

  it.each(['utf16le', 'utf16le-bom'])('is read from a page in %s', async (encoding) => {
    knobs({ challenge: { encoding } });
    expect(await fetchChallenge(challengeAccess())).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });

  it('is refused with the old password after a reset', async () => {
    const old = challengeAccess();
    const { password } = (await admin.resetChallengePassword(okta.tenant, macOS.id)) ?? { password: '' };
    expect(await codeOf(fetchChallenge(old))).toBe('okta.challenge_credentials_refused');
    macOS = { ...macOS, password };
    expect(await fetchChallenge(challengeAccess())).toHaveLength(32);
  });

  it.each([
    ['okta.challenge_unexpected_page', { page: 'sign_in_page' }],
    ['okta.challenge_unexpected_page', { page: 'redirect' }],
    ['okta.rate_limited', { page: 'cache_full' }],
  ])('is %s for %j', async (code, challenge) => {
    knobs({ challenge });
    expect(await codeOf(fetchChallenge(challengeAccess()))).toBe(code);
  });

  /** Terminal for everybody until a person acts, or passing: both close the endpoint for all processes; and how long. */
  it.each<
    [string, number, Record<string, string>, string, FailureCode, 'admin' | 'passes', number | undefined]
  >([
    [
      '401',
      401,
      { 'www-authenticate': 'Basic realm="okta"' },
      '',
      'okta.challenge_credentials_refused',
      'admin',
      undefined,
    ],
    ['403', 403, {}, '<html>Blocked', 'okta.challenge_denied', 'admin', undefined],
    ['404: deleted, or a wrong URL', 404, {}, '', 'okta.challenge_url_gone', 'admin', undefined],
    ['410', 410, {}, '', 'okta.challenge_url_gone', 'admin', undefined],
    ['500', 500, {}, '', 'okta.unreachable', 'passes', undefined],
    ['503', 503, {}, '', 'okta.unreachable', 'passes', undefined],
    ['429 with Retry-After', 429, { 'retry-after': '7' }, '', 'okta.rate_limited', 'passes', 7_000],
    ['429 without a word', 429, {}, '', 'okta.rate_limited', 'passes', 60_000],
    [
      '200: the password cache is full',
      200,
      {},
      'The password cache is full.',
      'okta.rate_limited',
      'passes',
      60_000,
    ],
    ['200: a sign-in page', 200, {}, '<html>Sign In', 'okta.challenge_unexpected_page', 'admin', undefined],
    [
      '200: a captive portal',
      200,
      {},
      '<html>Welcome to Wi-Fi',
      'okta.challenge_unexpected_page',
      'admin',
      undefined,
    ],
    [
      '302 to a sign-in page',
      302,
      { location: 'https://elsewhere.example/' },
      '',
      'okta.challenge_unexpected_page',
      'admin',
      undefined,
    ],
  ])('refused or unreadable: %s', async (_row, status, headers, body, code, who, retryAfterMs) => {
    const service = await openTlsService();
    const requests: IncomingMessage[] = [];
    service.serve((request, response) => {
      requests.push(request);
      response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
    });
    const url = `https://${service.host}/scep/v1/challenge/any?as=pasted`;
    const access = challengeAccess({
      url,
      allowedPrivateHosts: [service.host],
      username: 'u',
      password: 'p',
    });
    const error = await fetchChallenge(access).then(
      () => expect.fail('nothing was refused'),
      (thrown: unknown) => thrown as CataloguedError,
    );
    await service.close();
    expect([error.code, error.retryAfterMs]).toEqual([code, retryAfterMs]);
    expect(closesEndpoint(code)).toBe(true);
    expect(FAILURES[code].owner === 'admin').toBe(who === 'admin');
    // One request with the credentials at once: no negotiation, no body, the address as it was pasted.
    expect(
      requests.map(({ method, url: path, headers: sent }) => [
        method,
        path,
        sent.authorization,
        sent['content-length'],
      ]),
    ).toEqual([['GET', '/scep/v1/challenge/any?as=pasted', 'Basic dTpw', undefined]]);
  });

  it('is denied by a 403 of a firewall, which says nothing about the password', async () => {
    const firewall = await openTlsService();
    firewall.serve((_request, response) =>
      response.writeHead(403, { 'content-type': 'text/html' }).end('<html>Blocked by policy</html>'),
    );
    const access = { url: `https://${firewall.host}/scep`, allowedPrivateHosts: [firewall.host] };
    const code = await codeOf(fetchChallenge(challengeAccess(access)));
    expect(code).toBe('okta.challenge_denied');
    expect(FAILURES['okta.challenge_denied'].remedy).not.toMatch(/reset/i);
    expect(FAILURES['okta.challenge_credentials_refused'].remedy).toMatch(/^Enter the current/);
    await firewall.close();
  });

  it('is gone with its platform; an outage passes', async () => {
    const url = macOS.challengeUrl.replace(macOS.id, 'pfmNobody');
    expect(await codeOf(fetchChallenge(challengeAccess({ url })))).toBe('okta.challenge_url_gone');
    knobs({ outage: { kind: 'status_503', times: 1 } });
    expect(await codeOf(fetchChallenge(challengeAccess()))).toBe('okta.unreachable');
    knobs({ outage: { kind: 'rate_limit', times: 1 } });
    expect(await codeOf(fetchChallenge(challengeAccess()))).toBe('okta.rate_limited');
    expect(await codeOf(fetchChallenge(challengeAccess({ allowedPrivateHosts: [] })))).toBe(
      'okta.host_not_allowed',
    );
  });

  it('that nobody gives in time, or from a name that leads nowhere, is an outage that passes', async () => {
    const silent = await openTlsService();
    silent.serve(() => undefined);
    const url = `https://${silent.host}/scep/v1/challenge/any`;
    const access = challengeAccess({ url, allowedPrivateHosts: [silent.host] });
    // Ten seconds are not waited for here.
    const soon = AbortSignal.timeout(20);
    const patience = vi.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(soon);
    await expect(fetchChallenge(access)).rejects.toMatchObject({
      code: 'okta.unreachable',
      facts: { reason: 'time-out' },
    });
    expect(patience.mock.calls).toEqual([[10_000]]);
    patience.mockRestore();
    await silent.close();
    const nowhere = challengeAccess({ url: 'https://nobody.invalid/scep/v1/challenge/any' });
    await expect(fetchChallenge(nowhere)).rejects.toMatchObject({ code: 'okta.unreachable' });
    expect(closesEndpoint('okta.unreachable')).toBe(true);
    expect(FAILURES['okta.unreachable'].isRetried).toBe(true);
  });

  it('never follows a redirect, whose target would get the password', async () => {
    const [thief, lure] = [await openTlsService(), await openTlsService()];
    const stolen: (string | undefined)[] = [];
    thief.serve((request, response) => {
      stolen.push(request.headers.authorization);
      response.end('challenge password is: <B> STOLENSTOLEN </B>');
    });
    lure.serve((_request, response) => response.writeHead(302, { location: `https://${thief.host}/` }).end());
    const allowedPrivateHosts = [thief.host, lure.host];
    const access = challengeAccess({ url: `https://${lure.host}/scep`, allowedPrivateHosts });
    expect(await codeOf(fetchChallenge(access))).toBe('okta.challenge_unexpected_page');
    expect(stolen).toEqual([]);
    lure.serve((_request, response) => response.end(createHmac('sha512', 'x').digest('hex').repeat(1_000)));
    expect(await codeOf(fetchChallenge(access))).toBe('okta.unexpected_response');
    await Promise.all([thief.close(), lure.close()]);
  });
});

describe('the SCEP URL', () => {
  const check = (change: object = {}) =>
    checkScepUrl({ url: macOS.scepUrl, allowedPrivateHosts: [okta.host], ...change });

  it('passes with and without a registration authority, and after a renewal of the authority', async () => {
    await check();
    knobs({ scep: { getCaCert: 'single' } });
    await check();
    await renewIntermediate(okta.tenant);
    await check();
  });

  it('is refused when something else answers, or nothing', async () => {
    expect(await codeOf(check({ url: macOS.challengeUrl }))).toBe('okta.scep_unexpected_response');
    expect(await codeOf(check({ url: 'no url' }))).toBe('okta.scep_unexpected_response');
    knobs({ outage: { kind: 'connection_reset' } });
    expect(await codeOf(check())).toBe('okta.scep_unreachable');
  });
});

// Signing in through a real OpenID provider: who gets which role, what is refused and how it is said, and that nobody is locked out.
// Long, because all share two providers and one API, with one browser's steps through them.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdentityProvider, type Send } from '../../adapters/oidc/identity-provider.ts';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { CLIENT, openRealProvider, type RealProvider } from '../../test/harness/real-provider.ts';
import { identityProviderOf } from '../../workers/identity-provider.ts';
import { CALLBACK_PATH, ownAddress, PROVIDER_PATH } from './provider-sign-in.ts';

const CONSOLE = 'https://odette.example.com';
const PASSWORD = 'correct horse battery staple';
const GROUPS = {
  vera: ['Everyone', 'Viewers'],
  oskar: ['Operators'],
  ada: ['Admins', 'Viewers'],
  sam: ['Sales'],
};
const NOBODY = { authorization: '' };

const oidcOf = ({ issuer }: RealProvider) => ({
  issuer,
  clientId: CLIENT.id,
  clientSecret: () => CLIENT.secret,
  scopes: 'openid profile email groups',
  roleClaim: 'groups',
  roles: { viewer: ['Viewers'], operator: ['Operators'], admin: ['Admins'] },
});
const openApi = (provider: RealProvider, allowed = [provider.host]): Promise<AdminApi> =>
  openAdminApi({
    settings: {
      consoleUrl: CONSOLE,
      identityProvider: identityProviderOf({
        oidc: oidcOf(provider),
        consoleUrl: CONSOLE,
        allowedPrivateHosts: allowed,
      }),
    },
  });

let provider: RealProvider;
let other: RealProvider;
let api: AdminApi;
beforeAll(async () => {
  [provider, other] = (await Promise.all(
    [GROUPS, GROUPS].map((people) => openRealProvider(CONSOLE + CALLBACK_PATH, { people })),
  )) as [RealProvider, RealProvider];
  api = await openApi(provider);
});
afterAll(async () => {
  await api?.close();
  await Promise.all([provider?.close(), other?.close()]);
});

const cookiesOf = (response: { headers: Headers }): string[] =>
  response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');

interface Begun {
  readonly url: string;
  readonly cookie: string;
}
async function begin(next = '/', at = api): Promise<Begun> {
  const response = await at.call(
    'GET',
    `${PROVIDER_PATH}?next=${encodeURIComponent(next)}`,
    undefined,
    NOBODY,
  );
  expect(response.status).toBe(303);
  return { url: response.headers.get('location') ?? '', cookie: cookiesOf(response)[0] ?? '' };
}

interface Ended {
  readonly location: string;
  /** The session's cookie; undefined: none was given. */
  readonly session: string | undefined;
}
async function end(back: URL, cookie: string, at = api): Promise<Ended> {
  const response = await at.call('GET', back.pathname + back.search, undefined, { ...NOBODY, cookie });
  expect(response.status).toBe(303);
  const session = cookiesOf(response).find((each) => /odette_session=./.test(each));
  return { location: response.headers.get('location') ?? '', session };
}

async function signIn(login: string, next = '/', at = api, as = provider): Promise<Ended> {
  const begun = await begin(next, at);
  return end(await as.signIn(begun.url, login), begun.cookie, at);
}

const me = async (session: string | undefined) =>
  (await api.call('GET', '/api/session', undefined, { ...NOBODY, cookie: session ?? '' })).body;
const refusedWith = (code: string, next = ''): Ended => ({
  location: `/sign-in?refused=${code}${next}`,
  session: undefined,
});

describe('who is let in', () => {
  test.each([
    ['vera', 'viewer', 403, 403],
    ['oskar', 'operator', 202, 403],
    ['ada', 'admin', 202, 200],
  ])('%s has the role %s, and may do what it allows', async (login, role, check, people) => {
    const { location, session } = await signIn(login, '/devices?bucket=needs_you');
    expect(location).toBe('/devices?bucket=needs_you');
    expect(await me(session)).toMatchObject({ actor: `person:${login}@example.com`, role, kind: 'person' });
    const headers = { ...NOBODY, cookie: session ?? '', 'sec-fetch-site': 'same-origin' };
    const request = { action: 'check', filter: {} };
    expect((await api.call('POST', '/api/devices/requests', request, headers)).status).toBe(check);
    expect((await api.call('GET', '/api/people', undefined, headers)).status).toBe(people);
  });

  test('signing in is in the audit trail, and so is a changed role', async () => {
    await signIn('vera');
    provider.people.set('vera', ['Operators']);
    const { session } = await signIn('vera');
    provider.people.set('vera', GROUPS.vera);
    expect(await me(session)).toMatchObject({ role: 'operator' });
    const { body } = await api.call('GET', '/api/audit?actor=person%3Avera%40example.com');
    expect(body.items.slice(0, 2)).toMatchObject([
      { action: 'session.started', detail: { role: 'operator', issuer: provider.issuer } },
      { action: 'person.changed', detail: { role: 'operator', before: 'viewer' } },
    ]);
  });

  test('a session of the provider ends twelve hours after the sign-in, used or not', async () => {
    const { session } = await signIn('oskar');
    await api.database.query(
      `update sessions set created_at = now() - interval '11 hours', last_seen_at = now() - interval '1 hour'`,
    );
    await me(session);
    const { expiresAt } = await me(session);
    expect(Date.parse(expiresAt as string) - Date.now()).toBeLessThan(61 * 60_000);
  });

  test('the name of a local person is not taken over', async () => {
    const local = { name: 'nora@example.com', role: 'admin', password: PASSWORD };
    expect((await api.call('POST', '/api/people', local)).status).toBe(201);
    provider.people.set('nora', ['Viewers']);
    const { session } = await signIn('nora');
    expect(await me(session)).toMatchObject({ name: `nora@example.com (${provider.host})`, role: 'viewer' });
    const { body } = await api.call('POST', '/api/session', { name: local.name, password: PASSWORD }, NOBODY);
    expect(body).toMatchObject({ name: 'nora@example.com', role: 'admin' });
  });

  test('role and password of such a person are not changed here; disabling keeps them out', async () => {
    await signIn('vera');
    const people = (await api.call('GET', '/api/people')).body.items as { id: string; name: string }[];
    const at = `/api/people/${people.find(({ name }) => name === 'vera@example.com')?.id ?? ''}`;
    for (const change of [{ role: 'admin' }, { password: PASSWORD }])
      expect((await api.call('PATCH', at, change)).body.code).toBe('request.conflict');
    expect((await api.call('PATCH', at, { disabled: true })).status).toBe(200);
    expect(await signIn('vera')).toEqual(refusedWith('sign_in.disabled'));
    expect((await api.call('PATCH', at, { disabled: false })).status).toBe(200);
    expect((await signIn('vera')).session).toBeDefined();
  });
});

describe('what is refused', () => {
  test('a person without a group that has a role, and the audit trail tells who it was', async () => {
    expect(await signIn('sam', '/devices')).toEqual(refusedWith('sign_in.no_role', '&next=%2Fdevices'));
    expect((await api.call('GET', '/api/audit?action=session.refused')).body.items[0]).toMatchObject({
      detail: { code: 'sign_in.no_role', subject: 'sam', name: 'sam@example.com' },
    });
    const shown = await api.call('GET', '/api/sign-in?refused=sign_in.no_role', undefined, NOBODY);
    expect(shown.body).toMatchObject({
      identityProvider: { host: provider.host, path: PROVIDER_PATH },
      refused: { code: 'sign_in.no_role', title: expect.stringContaining('None of your groups') as string },
    });
  });

  test('who loses the last such group loses the open sessions at the next try, too', async () => {
    provider.people.set('greta', ['Admins']);
    const { session } = await signIn('greta');
    expect(await me(session)).toMatchObject({ role: 'admin' });
    provider.people.set('greta', ['Sales']);
    expect(await signIn('greta')).toEqual(refusedWith('sign_in.no_role'));
    expect(await me(session)).toMatchObject({ code: 'request.not_signed_in' });
  });

  test('an answer that belongs to no attempt of this browser', async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const back = await provider.signIn(theirs.url, 'ada');
    expect(await end(back, mine.cookie)).toEqual(refusedWith('sign_in.response_refused'));
    expect(await end(back, '')).toEqual(refusedWith('sign_in.attempt_over'));
    expect(await end(back, `${mine.cookie.split('=')[0] ?? ''}=forged`)).toEqual(
      refusedWith('sign_in.attempt_over'),
    );
  });

  test('an ID token with another nonce', async () => {
    const { url, cookie } = await begin();
    const [name = '', sealed = ''] = cookie.split('=');
    const open = api.ring.open(Buffer.from(sealed, 'base64url'), 'provider sign-in').toString();
    const other_ = JSON.stringify({ ...(JSON.parse(open) as object), nonce: 'of-another-sign-in' });
    const resealed = api.ring.seal(Buffer.from(other_), 'provider sign-in').toString('base64url');
    expect(await end(await provider.signIn(url, 'ada'), `${name}=${resealed}`)).toEqual(
      refusedWith('sign_in.response_refused'),
    );
  });

  test('a code that was used before, and an attempt that took too long', async () => {
    const { url, cookie } = await begin();
    const back = await provider.signIn(url, 'ada');
    expect((await end(back, cookie)).session).toBeDefined();
    expect(await end(back, cookie)).toEqual(refusedWith('sign_in.attempt_over'));
    const [name = '', sealed = ''] = (await begin()).cookie.split('=');
    const open = api.ring.open(Buffer.from(sealed, 'base64url'), 'provider sign-in').toString();
    const old = JSON.stringify({ ...(JSON.parse(open) as object), at: Date.now() - 11 * 60_000 });
    const resealed = api.ring.seal(Buffer.from(old), 'provider sign-in').toString('base64url');
    expect(await end(back, `${name}=${resealed}`)).toEqual(refusedWith('sign_in.attempt_over'));
  });

  test('an expired code', async () => {
    const hasty = await openRealProvider(CONSOLE + CALLBACK_PATH, {
      people: GROUPS,
      more: { ttl: { AuthorizationCode: 1 } },
    });
    const own = new IdentityProvider({ ...(await settingsFor(hasty)) });
    const { url, attempt } = await own.begin();
    const back = await hasty.signIn(url, 'ada');
    const over = Date.now() + 2_100;
    while (Date.now() < over) await pause(over - Date.now());
    await expect(own.finish(back.searchParams, attempt)).rejects.toMatchObject({
      code: 'sign_in.attempt_over',
    });
    await hasty.close();
  });

  test("another issuer's answer, and another issuer's token in the right issuer's answer", async () => {
    const { url, cookie } = await begin();
    const state = new URL(url).searchParams.get('state') ?? '';
    const strange = new URL(url.replace(provider.issuer, other.issuer));
    const back = await other.signIn(strange.href, 'ada');
    expect(back.searchParams.get('state')).toBe(state);
    expect(await end(back, cookie)).toEqual(refusedWith('sign_in.response_refused'));

    let theirs = '';
    const settings = await settingsFor(provider);
    const elsewhere = new IdentityProvider({
      ...(await settingsFor(other)),
      send: async (request) => {
        const response = await settings.send(request);
        theirs ||= (parsed(response.body)['id_token'] as string | undefined) ?? '';
        return response;
      },
    });
    const first = await elsewhere.begin();
    await elsewhere.finish((await other.signIn(first.url, 'ada')).searchParams, first.attempt);
    const swapped = new IdentityProvider({ ...settings, send: swapping(settings.send, () => theirs) });
    const second = await swapped.begin();
    await expect(
      swapped.finish((await provider.signIn(second.url, 'ada')).searchParams, second.attempt),
    ).rejects.toMatchObject({ code: 'sign_in.response_refused' });
  });

  test('a person who was removed at the provider in the middle of it', async () => {
    provider.people.set('rudi', ['Admins']);
    const { url, cookie } = await begin();
    const back = await provider.signIn(url, 'rudi');
    provider.people.delete('rudi');
    expect(await end(back, cookie)).toEqual(refusedWith('sign_in.attempt_over'));
  });

  test("the provider's own refusal, and a client secret that is wrong there", async () => {
    const { url, cookie } = await begin();
    const state = new URL(url).searchParams.get('state') ?? '';
    const said = new URLSearchParams({ error: 'access_denied', state, iss: provider.issuer });
    expect(await end(new URL(`${CONSOLE}${CALLBACK_PATH}?${said.toString()}`), cookie)).toEqual(
      refusedWith('sign_in.provider_refused'),
    );
    const mistyped = new IdentityProvider({ ...(await settingsFor(provider)), clientSecret: 'mistyped' });
    const { url: at, attempt } = await mistyped.begin();
    const back = await provider.signIn(at, 'ada');
    await expect(mistyped.finish(back.searchParams, attempt)).rejects.toMatchObject({
      code: 'sign_in.client_refused',
    });
  });

  test('a way out to another host, however it is written', async () => {
    const ways = [
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'https://evil.example',
      '/..//evil.example',
    ];
    for (const next of [...ways, 'javascript:alert(1)', '', 'devices', ['/a', '/b'], undefined])
      expect(ownAddress(next, CONSOLE), String(next)).toBe('/');
    expect(ownAddress('/devices?x=//y#z', CONSOLE)).toBe('/devices?x=//y#z');
    expect((await signIn('ada', '//evil.example')).location).toBe('/');
  });
});

const settingsFor = (of: RealProvider): Promise<IdentityProvider['settings']> => {
  const made = identityProviderOf({
    oidc: oidcOf(of),
    consoleUrl: CONSOLE,
    allowedPrivateHosts: [provider.host, other.host, of.host],
  });
  return made ? Promise.resolve(made.provider.settings) : Promise.reject(new Error('no provider'));
};
function parsed(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
const swapping =
  (send: Send, token: () => string): Send =>
  async (request) => {
    const response = await send(request);
    const read = parsed(response.body);
    if (!('id_token' in read)) return response;
    return { ...response, body: Buffer.from(JSON.stringify({ ...read, id_token: token() })) };
  };

describe('when the provider cannot be used', () => {
  test('a local admin signs in while it is down, and the sign-in page says what is the matter', async () => {
    const ours = await openApi(provider);
    expect(
      (await ours.call('POST', '/api/people', { name: 'root', role: 'admin', password: PASSWORD })).status,
    ).toBe(201);
    provider.pause();
    const refused = await ours.call('GET', PROVIDER_PATH, undefined, NOBODY);
    expect(refused.headers.get('location')).toBe('/sign-in?refused=sign_in.provider_unreachable');
    const local = await ours.call('POST', '/api/session', { name: 'root', password: PASSWORD }, NOBODY);
    expect(local).toMatchObject({ status: 201, body: { role: 'admin' } });
    provider.resume();
    expect((await ours.call('GET', PROVIDER_PATH, undefined, NOBODY)).headers.get('location')).toMatch(
      provider.issuer,
    );
    await ours.close();
  });

  test('a private address that nobody allowed is not called', async () => {
    const ours = await openApi(provider, []);
    const { headers } = await ours.call('GET', PROVIDER_PATH, undefined, NOBODY);
    expect(headers.get('location')).toBe('/sign-in?refused=sign_in.host_not_allowed');
    await ours.close();
  });
});

test('no client secret, code or attempt is in the log or in an answer for admins', async () => {
  const { url, cookie } = await begin();
  const back = await provider.signIn(url, 'ada');
  await end(back, cookie);
  const shown = await api.call('GET', '/api/identity-provider');
  expect(shown.body).toMatchObject({
    callbackUrl: `${CONSOLE}/sign-in/oidc/callback`,
    provider: { clientId: 'odette', roles: { admin: ['Admins'] } },
  });
  const seen = api.logged.join('') + shown.text;
  expect(seen).toContain('"operation":"finishProviderSignIn"');
  for (const secret of [
    CLIENT.secret,
    back.searchParams.get('code') ?? 'none',
    cookie.split('=')[1] ?? 'none',
  ])
    expect(seen).not.toContain(secret);
});

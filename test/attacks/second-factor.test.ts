// Attacks on a local account whose password somebody knows: without a code, with a used one, with guesses, with the session of a newcomer.
import { scryptSync } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminApi, type AdminApi, type ApiResponse, sessionOf } from '../harness/admin-api.ts';

const PASSWORD = 'correct horse battery';
const STEP_MS = 30_000;
/** Of the password, with other parameters than Odette's: a hundred sign-ins would be half a minute of hashing. */
const CHEAP_HASH = [
  'scrypt',
  1024,
  8,
  1,
  '',
  scryptSync(PASSWORD, '', 32, { N: 1024, r: 8, p: 1 }).toString('base64url'),
].join('$');
let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi({ settings: { trustedProxy: '127.0.0.1/32' } });
});
afterAll(() => api.close());

const codeAt = (key: string, time: number): string =>
  new TOTP({ secret: Secret.fromBase32(key) }).generate({ timestamp: time });
let addresses = 0;
/** Each from another address, so that only the limits of the second factor count. */
async function signIn(name: string, code?: string, password = PASSWORD): Promise<ApiResponse> {
  addresses += 1;
  const headers = { authorization: '', 'x-forwarded-for': `192.0.2.${addresses}` };
  return api.call('POST', '/api/session', { name, password, ...(code !== undefined && { code }) }, headers);
}
async function newPerson(name: string, role = 'viewer') {
  const made = await api.call('POST', '/api/people', { name, role, password: PASSWORD });
  expect(made.status).toBe(201);
  await api.database.query('update people set password_hash = $2 where name = $1', [name, CHEAP_HASH]);
  return { id: made.body.id as string, session: sessionOf(await signIn(name)) };
}
/** With a second factor that took its code two steps ago, so that the codes of now are unused. */
async function newProtected(name: string, role = 'viewer') {
  const person = await newPerson(name, role);
  const own = (method: string, at: string, body?: object) =>
    api.call(method, `/api/session/second-factor${at}`, body, person.session);
  const begun = await own('POST', '', { password: PASSWORD });
  expect(begun.status).toBe(201);
  const key = begun.body.key as string;
  const confirmed = await own('POST', '/confirm', { code: codeAt(key, Date.now()) });
  expect(confirmed.status).toBe(200);
  await api.database.query('update second_factors set last_step = last_step - 2 where person_id = $1', [
    person.id,
  ]);
  return { ...person, own, key, recoveryCodes: confirmed.body.recoveryCodes as string[] };
}
const outcome = ({ status, body }: ApiResponse) => [status, body?.code];

test('the password alone does not sign in, and how often it is tried locks nobody out', async () => {
  const { key } = await newProtected('ada');
  for (let turn = 0; turn < 8; turn += 1)
    expect(outcome(await signIn('ada'))).toEqual([401, 'people.code_needed']);
  expect(outcome(await signIn('ada', codeAt(key, Date.now()), 'wrong password'))).toEqual([
    401,
    'people.sign_in_refused',
  ]);
  expect((await signIn('ada', codeAt(key, Date.now()))).status).toBe(201);
});

test('a code that was used, or that is older than one that was, does not sign in', async () => {
  const { key } = await newProtected('bea');
  const now = Date.now();
  const code = codeAt(key, now);
  expect((await signIn('bea', code)).status).toBe(201);
  expect(outcome(await signIn('bea', code))).toEqual([401, 'people.code_refused']);
  expect(outcome(await signIn('bea', codeAt(key, now - STEP_MS)))).toEqual([401, 'people.code_refused']);
  expect((await signIn('bea', codeAt(key, now + STEP_MS))).status).toBe(201);
});

test('of one code that comes many times at once, one signs in', async () => {
  const { key } = await newProtected('cleo');
  const code = codeAt(key, Date.now());
  const results = await Promise.all(Array.from({ length: 8 }, () => signIn('cleo', code)));
  expect(results.filter(({ status }) => status === 201)).toHaveLength(1);
});

test('more sign-ins at once than there are connections are each answered, and keep nobody out', async () => {
  await newProtected('finn');
  const wrong = Array.from({ length: 12 }, (_, place) => signIn(`nobody-${place}`));
  const guesses = Array.from({ length: 6 }, () => signIn('finn', '000000', 'a wrong password'));
  const [refused, health] = await Promise.all([
    Promise.all([...wrong, ...guesses]),
    api.call('GET', '/api/first-run', undefined, { authorization: '' }),
  ]);
  expect(refused.map(outcome)).toEqual(Array.from({ length: 18 }, () => [401, 'people.sign_in_refused']));
  expect(health.status).toBe(200);
});

test('the code that turned the second factor on does not sign in', async () => {
  const { session } = await newPerson('dan');
  const call = (at: string, body: object) =>
    api.call('POST', `/api/session/second-factor${at}`, body, session);
  const { key } = (await call('', { password: PASSWORD })).body as { key: string };
  const code = codeAt(key, Date.now());
  expect((await call('/confirm', { code })).status).toBe(200);
  expect(outcome(await signIn('dan', code))).toEqual([401, 'people.code_refused']);
});

test('whoever knows the password guesses ten codes an hour, from wherever, and each is audited', async () => {
  const { key } = await newProtected('eve');
  const right = codeAt(key, Date.now());
  const wrong = right === '000000' ? '000001' : '000000';
  const results: (string | undefined)[] = [];
  for (let turn = 0; turn < 12; turn += 1) results.push((await signIn('eve', wrong)).body.code as string);
  expect(results).toEqual([
    ...Array.from({ length: 10 }, () => 'people.code_refused'),
    'request.too_many',
    'request.too_many',
  ]);
  expect(outcome(await signIn('eve', right))).toEqual([429, 'request.too_many']);
  const rows = await api.database.query(
    `select from audit_entries where action = 'session.refused' and detail @> '{"name": "eve", "secondFactor": "wrong"}'`,
  );
  expect(rows).toHaveLength(10);
  await api.database.query(`update second_factors set attempts_since = now() - interval '61 minutes'`);
  expect((await signIn('eve', codeAt(key, Date.now()))).status).toBe(201);
});

test('a recovery code signs in once, is stored as a hash, and new ones end the old', async () => {
  const { id, own, recoveryCodes } = await newProtected('fay');
  expect(new Set(recoveryCodes).size).toBe(10);
  const [first = '', second = ''] = recoveryCodes;
  expect((await signIn('fay', first.toLowerCase().replaceAll('-', ' '))).status).toBe(201);
  expect(outcome(await signIn('fay', first))).toEqual([401, 'people.code_refused']);
  const [stored] = await api.database.query<{ text: string }>(
    `select string_agg(to_jsonb(recovery_codes)::text, '') as text from recovery_codes where person_id = $1`,
    [id],
  );
  for (const code of recoveryCodes) expect(stored?.text).not.toContain(code.replaceAll('-', ''));
  expect((await own('GET', '')).body).toMatchObject({ recoveryCodesLeft: 9 });
  expect((await own('POST', '/recovery-codes', { password: PASSWORD })).status).toBe(200);
  expect(outcome(await signIn('fay', second))).toEqual([401, 'people.code_refused']);
});

test('an open page without the password changes nothing of the second factor', async () => {
  const { own } = await newProtected('gus');
  for (const [at, body] of [
    ['', { password: 'wrong password' }],
    ['/recovery-codes', { password: 'wrong password' }],
    ['/turn-off', { password: 'wrong password' }],
  ] as const)
    expect(outcome(await own('POST', at, body))).toEqual([401, 'people.sign_in_refused']);
  // Nor does it with the password while it is on: there is no second key beside the first.
  expect((await own('POST', '', { password: PASSWORD })).status).toBe(409);
  expect(outcome(await signIn('gus'))).toEqual([401, 'people.code_needed']);
  expect((await own('POST', '/turn-off', { password: PASSWORD })).status).toBe(204);
  expect((await signIn('gus')).status).toBe(201);
});

test('turning it on ends the sessions that came by the password alone', async () => {
  const { session } = await newPerson('hal');
  const other = sessionOf(await signIn('hal'));
  const call = (at: string, body: object) =>
    api.call('POST', `/api/session/second-factor${at}`, body, session);
  const { key } = (await call('', { password: PASSWORD })).body as { key: string };
  expect((await call('/confirm', { code: codeAt(key, Date.now()) })).status).toBe(200);
  expect((await api.call('GET', '/api/session', undefined, other)).status).toBe(401);
  expect((await api.call('GET', '/api/session', undefined, session)).status).toBe(200);
});

test('an admin turns it off for who is locked out: audited, the sessions end, and nobody else may', async () => {
  const { id, session } = await newProtected('ian', 'operator');
  const at = `/api/people/${id}/second-factor`;
  expect(outcome(await api.call('DELETE', at, undefined, session))).toEqual([403, 'request.not_allowed']);
  expect((await api.call('DELETE', at)).status).toBe(204);
  expect((await api.call('GET', '/api/session', undefined, session)).status).toBe(401);
  expect((await signIn('ian')).status).toBe(201);
  const rows = await api.database.query(
    `select actor from audit_entries where action = 'person.second_factor_reset' and subject = $1`,
    [`person:${id}`],
  );
  expect(rows).toEqual([{ actor: 'token:this machine' }]);
  expect(await api.database.query(`select from secrets where set_by = 'person:ian'`)).toEqual([]);
});

test('the key of one person opens nothing for another, though the tables are changed', async () => {
  const [mallory, victim] = [await newProtected('mallory'), await newProtected('victim')];
  // Whoever has the database alone gives the victim the key that they know.
  await api.database.query(
    `update secrets set sealed = (select sealed from secrets where id = (select secret_id from second_factors where person_id = $1))
      where id = (select secret_id from second_factors where person_id = $2)`,
    [mallory.id, victim.id],
  );
  const { status } = await signIn('victim', codeAt(mallory.key, Date.now()));
  expect(status).toBe(500);
});

test('the key is nowhere but sealed: not in rows, logs or the audit trail', async () => {
  const { key } = await newProtected('jo');
  const raw = Buffer.from(Secret.fromBase32(key).bytes);
  for (const { table } of await api.database.query<{ table: string }>(
    `select tablename as table from pg_tables where schemaname = 'public'`,
  )) {
    const rows = await api.database.query<{ text: string }>(
      `select to_jsonb(t)::text as text from ${table} as t`,
    );
    for (const { text } of rows)
      for (const one of [key, raw.toString('hex'), raw.toString('base64')])
        expect(text, table).not.toContain(one);
  }
  expect(api.logged.join('\n')).not.toContain(key);
});

test('where it is required, a newcomer does nothing before it is on, and cannot turn it off again', async () => {
  const { session } = await newPerson('kim', 'admin');
  const stream = await fetch(`${api.url}/api/events`, { headers: session });
  expect(stream.status).toBe(200);
  const ended = stream.text();
  const policy = (isSecondFactorRequired: boolean) =>
    api.call('PUT', '/api/sign-in-policy', { isSecondFactorRequired });
  expect((await policy(true)).status).toBe(200);
  expect(await ended).toContain('event: hello');
  const refused = [403, 'people.second_factor_required'];
  expect(outcome(await api.call('POST', '/api/tokens', { name: 't', role: 'admin' }, session))).toEqual(
    refused,
  );
  expect(
    outcome(await api.call('PUT', '/api/sign-in-policy', { isSecondFactorRequired: false }, session)),
  ).toEqual(refused);
  expect(outcome(await api.call('POST', '/codec/decode', { payloads: [] }, session))).toEqual(refused);
  const again = sessionOf(await signIn('kim'));
  expect(outcome(await api.call('GET', '/api/devices', undefined, again))).toEqual(refused);
  const call = (at: string, body: object) => api.call('POST', `/api/session/second-factor${at}`, body, again);
  const { key } = (await call('', { password: PASSWORD })).body as { key: string };
  expect((await call('/confirm', { code: codeAt(key, Date.now()) })).status).toBe(200);
  expect((await api.call('GET', '/api/devices', undefined, again)).status).toBe(200);
  expect(outcome(await call('/turn-off', { password: PASSWORD }))).toEqual(refused);
  expect((await policy(false)).status).toBe(200);
});

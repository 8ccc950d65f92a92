// The authorization matrix: every operation of the contract for everybody who may come, from nobody to an admin.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contract } from '../../api/contract/contract.ts';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import { ROLES, type Role } from '../../domain/sign-in-roles.ts';
import { openAdminApi, type AdminApi, sessionOf } from '../harness/admin-api.ts';

const PASSWORD = 'correct horse battery';
const endpoints = Object.entries(contract) as unknown as [string, Endpoint][];

let api: AdminApi;
/** Who may come, by name: what they send, and the role that it gives. */
let comers: Record<string, Comer>;
interface Comer {
  readonly headers: Record<string, string>;
  readonly role: Role | undefined;
  /** Of a local person without the second factor that is required. */
  readonly mustSetUpSecondFactor?: true;
}

beforeAll(async () => {
  api = await openAdminApi();
  const token = async (role: Role, headers = {}) => {
    const made = await api.call('POST', '/api/tokens', { name: role, role }, headers);
    expect(made.status).toBe(201);
    return { id: made.body.id as string, headers: { authorization: `Bearer ${made.body.token as string}` } };
  };
  const session = async (name: string) => {
    const begun = await api.call('POST', '/api/session', { name, password: PASSWORD }, { authorization: '' });
    return sessionOf(begun);
  };
  const person = async (name: string, role: Role) =>
    (await api.call('POST', '/api/people', { name, role, password: PASSWORD })).body.id as string;
  const [revoked, expired] = [await token('admin'), await token('admin')];
  await api.call('DELETE', `/api/tokens/${revoked.id}`);
  await api.database.query(`update api_tokens set expires_at = now() - interval '1 second' where id = $1`, [
    expired.id,
  ]);
  const gone = await person('gone', 'admin');
  const sessionOfGone = await session('gone');
  const tokenOfGone = await token('admin', sessionOfGone);
  // One admin stays.
  await person('an admin who stays', 'admin');
  expect((await api.call('PATCH', `/api/people/${gone}`, { disabled: true })).status).toBe(200);
  const ended = await person('ended', 'admin');
  const endedSession = await session('ended');
  await api.database.query(`update sessions set expires_at = now() where person_id = $1`, [ended]);
  const sessions = await Promise.all(
    ROLES.map(async (role) => {
      await person(`a ${role}`, role);
      return [
        `the session of a person who is ${role}`,
        { headers: await session(`a ${role}`), role },
      ] as const;
    }),
  );
  const tokens = await Promise.all(
    ROLES.map(
      async (role) => [`a token for ${role}`, { headers: (await token(role)).headers, role }] as const,
    ),
  );
  // Those who are to be asked for nothing more have theirs.
  const others = ROLES.map((role) => `a ${role}`);
  await person('newcomer', 'admin');
  const newcomer = {
    headers: await session('newcomer'),
    role: 'admin',
    mustSetUpSecondFactor: true,
  } as const;
  await api.database.query(
    `with key as (insert into secrets (kind, key_id, sealed, set_by) select 'one_time_code_key', '', '', name from people where name = any($1) returning id, set_by)
     insert into second_factors (person_id, secret_id, confirmed_at) select people.id, key.id, now() from people join key on set_by = name`,
    [others],
  );
  expect((await api.call('PUT', '/api/sign-in-policy', { isSecondFactorRequired: true })).status).toBe(200);
  const garbage = { authorization: `Bearer odt_${randomBytes(32).toString('base64url')}` };
  const refused = (headers: Record<string, string>) => ({ headers, role: undefined });
  comers = {
    nobody: refused({ authorization: '' }),
    'a garbage token': refused(garbage),
    'a garbage cookie': refused({ authorization: '', cookie: 'odette_session=garbage' }),
    'a revoked token': refused(revoked.headers),
    'an expired token': refused(expired.headers),
    'an expired session': refused(endedSession),
    "a disabled person's token": refused(tokenOfGone.headers),
    "a disabled person's session": refused(sessionOfGone),
    'an admin without the second factor that is required': newcomer,
    ...Object.fromEntries([...sessions, ...tokens]),
  };
});
afterAll(() => api.close());

/** What the caller is told before anything is done: the unknown parameter keeps every admitted request from being carried out. */
function expected(
  { access, beforeSecondFactor }: Endpoint,
  { role, mustSetUpSecondFactor }: Comer,
  isToken: boolean,
): [number, string] {
  const isBadToken = isToken && role === undefined;
  if (isBadToken || (access !== 'public' && role === undefined)) return [401, 'request.not_signed_in'];
  if (access !== 'public' && mustSetUpSecondFactor && !beforeSecondFactor)
    return [403, 'people.second_factor_required'];
  if (access !== 'public' && role !== undefined && ROLES.indexOf(role) < ROLES.indexOf(access))
    return [403, 'request.not_allowed'];
  return [400, 'request.invalid'];
}

test.each(endpoints)('%s', async (_id, shape) => {
  const path = shape.path.replaceAll(/\{\w+\}/g, randomUUID());
  for (const [name, comer] of Object.entries(comers)) {
    const { headers } = comer;
    const at = `${path}?unknownParameter=1`;
    const { status, body } = await api.call(shape.method.toUpperCase(), at, undefined, headers);
    const isToken = (headers['authorization'] ?? '') !== '';
    expect([name, status, body?.code]).toEqual([name, ...expected(shape, comer, isToken)]);
  }
});

test('everybody who may come has come, and every role and the public have operations', () => {
  expect(Object.keys(comers).length).toBe(9 + 2 * ROLES.length);
  expect(new Set(endpoints.map(([, { access }]) => access))).toEqual(new Set(['public', ...ROLES]));
});

// No secret is ever to be read where it does not belong: every secret of a setup, rollouts, failures, a replay and a renewal is
// searched in the database, Temporal's store and histories, logs, API answers, metrics and arguments of processes.
import type { Body } from '../../api/contract/client.ts';
import { randomBytes } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { CALLBACK_PATH, PROVIDER_PATH } from '../../api/admin/provider-sign-in.ts';
import { allSecrets } from '../harness/planted-secrets.ts';
import { CLIENT, openRealProvider, type RealProvider } from '../harness/real-provider.ts';
import { PLACES } from '../harness/secret-places.ts';
import { SecretSearch, type Find, type PlantedSecret } from '../harness/secret-search.ts';
import { devicesOf, setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

/** An admin mistypes a secret, too: it is refused, and must not be kept either. */
const MISTYPED = `mistyped-${randomBytes(18).toString('base64url')}`;
const CONTROL = `planted on purpose & found: ${randomBytes(18).toString('base64url')}`;

let world: World;
let provider: RealProvider;
let trusted: TrustedWorld;
let database: Database;
let secrets: PlantedSecret[];

beforeAll(async () => {
  world = await startWorld();
  provider = await openRealProvider(`${consoleUrl()}${CALLBACK_PATH}`, { people: { ada: ['Admins'] } });
  await useProvider();
  trusted = await setUpTrust(world);
  database = connectDatabase(world.databaseUrl);
  await useSecrets();
  secrets = await allSecrets(world, database, {
    'mistyped password': MISTYPED,
    'client secret of the identity provider': CLIENT.secret,
    'session of a person of the identity provider': await signInThroughProvider(),
  });
}, 400_000);
afterAll(async () => {
  await provider?.close();
  await database?.end();
  await world?.stop();
}, 60_000);

// What happens ------------------------------------------------------------------------------------------------------------------

const consoleUrl = (): string => `http://${world.environment['ODETTE_ADMIN_LISTEN']}`;

/** The API with an identity provider beside the sandbox's authority: by variable, which is the way that leaks more easily than a file. */
async function useProvider(): Promise<void> {
  const { environment } = world;
  const authorities = path.join(world.folder, 'authorities.pem');
  const sandbox = await readFile(environment['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8');
  await writeFile(authorities, `${sandbox}\n${provider.authorityPem}`);
  Object.assign(environment, {
    NODE_EXTRA_CA_CERTS: authorities,
    ODETTE_ALLOWED_PRIVATE_HOSTS: `${environment['ODETTE_ALLOWED_PRIVATE_HOSTS']},${provider.host}`,
    ODETTE_OIDC_ISSUER: provider.issuer,
    ODETTE_OIDC_CLIENT_ID: CLIENT.id,
    ODETTE_OIDC_CLIENT_SECRET: CLIENT.secret,
    ODETTE_OIDC_ADMINS: 'Admins',
  });
  await world.kill('api');
  await world.start('api');
}

/** The value of the session's cookie. */
async function signInThroughProvider(): Promise<string> {
  const begun = await fetch(consoleUrl() + PROVIDER_PATH, { redirect: 'manual' });
  const back = await provider.signIn(begun.headers.get('location') ?? '', 'ada');
  const [attempt = ''] = begun.headers.getSetCookie()[0]?.split(';') ?? [];
  const ended = await fetch(back, { redirect: 'manual', headers: { cookie: attempt } });
  expect(ended.headers.get('location')).toBe('/');
  const session = ended.headers.getSetCookie().find((line) => line.startsWith('odette_session='));
  return session?.split(';')[0]?.split('=')[1] ?? '';
}

async function useSecrets(): Promise<void> {
  await Promise.all([setUpSecondTenant(), mistypePassword()]);
  await world.manage('PATCH', '/apns', { refuse: { reason: 'ServiceUnavailable', times: 1 } });
  await Promise.all([
    enroll('secret-mac', 'Mac'),
    enroll('secret-phone', 'iPhone'),
    enroll('failing-mac', 'Mac', { breaks: [{ requestType: 'InstallProfile', times: 5 }] }),
  ]);
  await until('secret-mac', 'trusted', ({ bucket }) => bucket === 'trusted');
  await until('secret-phone', 'trusted', ({ bucket }) => bucket === 'trusted');
  const { id } = await until('failing-mac', 'failed', ({ phase }) => phase === 'failed');
  await world.manage('PATCH', '/devices/failing-mac', { knobs: { breaks: [] } });
  await trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
  await until('failing-mac', 'trusted after the replay', ({ bucket }) => bucket === 'trusted');
  await renew();
  await renewIdentity();
  await failChallenge();
}

/** An API Services app of the tenant's own: Odette makes the key. */
async function setUpSecondTenant(): Promise<void> {
  const { host } = await world.manage<{ host: string }>('GET', '/tenants/two');
  const { odette } = trusted.stage;
  let setup = await odette.call('post /api/setups', { body: {} });
  const answer = async (body: Body<'post /api/setups/{id}/answers'>) => {
    const answered = await odette.call('post /api/setups/{id}/answers', {
      params: { id: setup.id },
      body,
    });
    if ('status' in answered) setup = answered;
  };
  await answer({ step: 'get_started' });
  await answer({ step: 'okta_domain', domain: host });
  await answer({ step: 'credentials_kind', credentialsKind: 'api_services_app' });
  const { clientId } = await world.manage<{ clientId: string }>('POST', '/tenants/two/api-services-apps', {
    publicJwks: [setup.answers.publicJwk],
    scopes: ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'],
    roles: ['SUPER_ADMIN'],
  });
  await answer({ step: 'okta_tasks' });
  await answer({ step: 'credentials', clientId });
  expect(setup.step).toBe('connect');
}

async function mistypePassword(): Promise<void> {
  const { macOS } = await trusted.stage.odette.call('get /api/integrations/{id}', {
    params: { id: trusted.integrationId },
  });
  const { scepUrl, challengeUrl, username } = macOS ?? {};
  const given = { step: 'macos', scepUrl, challengeUrl, username, password: MISTYPED };
  const refused = await eventually(
    () => world.api('POST', `/api/integrations/${trusted.integrationId}/answers`, given),
    ({ status }) => status !== 202 && status !== 503,
    { withinMs: 30_000, what: 'a wrong password is refused' },
  );
  expect(refused.status).toBeGreaterThanOrEqual(400);
}

async function enroll(name: string, family: string, knobs: object = {}): Promise<void> {
  await world.manage('POST', '/devices', { name, family, knobs });
  const { code } = await trusted.stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
    params: { id: trusted.blueprintId },
    body: { user: `${name}@example.com`, maxUses: 1, expiresInHours: 1 },
  });
  await world.manage('POST', `/devices/${name}/enroll`, {
    url: world.environment['ODETTE_PUBLIC_URL'],
    code,
  });
}

async function known(name: string): Promise<KnownDevice> {
  const found = (await devicesOf(trusted)).find(({ user }) => user === `${name}@example.com`);
  if (!found) throw new Error(`${name} is not known yet`);
  return found;
}

const until = (name: string, what: string, holds: (device: KnownDevice) => boolean): Promise<KnownDevice> =>
  eventually(() => known(name), holds, { withinMs: 120_000, everyMs: 500, what: `${name}: ${what}` });

interface Keychain {
  readonly keychain: { isMdmIdentity: boolean; hasPrivateKey: boolean; serialNumber: string }[];
}
async function certificateOf(name: string): Promise<string[]> {
  const { keychain } = await world.manage<Keychain>('GET', `/devices/${name}`);
  return keychain
    .filter((item) => item.hasPrivateKey && !item.isMdmIdentity)
    .map(({ serialNumber }) => serialNumber);
}

async function renew(): Promise<void> {
  const before = await certificateOf('secret-mac');
  const { id } = await known('secret-mac');
  await trusted.stage.odette.call('post /api/devices/{id}/renew', { params: { id }, body: {} });
  await eventually(
    () => certificateOf('secret-mac'),
    (now) => now.length === 1 && now[0] !== before[0],
    { withinMs: 120_000, everyMs: 500, what: 'the certificate was renewed' },
  );
}

/** As if most of its life were over: the device gets its enrollment profile again, with another challenge. */
async function renewIdentity(): Promise<void> {
  const { id } = await known('secret-mac');
  await database.query(
    `update identity_certificates as identity set issued_at = now() - interval '40 years'
       from devices as device where device.id = $1 and sha256(identity.certificate) = device.identity_fingerprint`,
    [id],
  );
  await trusted.stage.odette.call('post /api/devices/{id}/check', { params: { id } });
  await eventually(
    () => world.manage<{ counts: Record<string, number> }>('GET', '/devices/secret-mac'),
    ({ counts }) => counts['identitiesRenewed'] === 1,
    { withinMs: 120_000, everyMs: 500, what: 'the identity was renewed' },
  );
  await until('secret-mac', 'trusted with its new identity', ({ bucket }) => bucket === 'trusted');
}

/** Okta's challenge page answers something else: what it said must not be repeated either. */
async function failChallenge(): Promise<void> {
  const counts = async (): Promise<number> => {
    const { counts: seen } = await world.manage<{ counts: Record<string, number> }>('GET', '/tenants/one');
    return seen['challengeRequests'] ?? 0;
  };
  const before = await counts();
  await world.manage('PATCH', '/tenants/one/knobs', { challenge: { page: 'cache_full' } });
  const { id } = await known('secret-mac');
  await trusted.stage.odette.call('post /api/devices/{id}/renew', { params: { id }, body: {} });
  await eventually(counts, (now) => now > before, { withinMs: 60_000, what: 'a challenge was asked for' });
  await pause(1000);
}

async function findsIn(name: keyof typeof PLACES, wanted: readonly PlantedSecret[]): Promise<Find[]> {
  const search = new SecretSearch(wanted);
  const finds: Find[] = [];
  let places = 0;
  for await (const [place, bytes] of PLACES[name](world, database)) {
    finds.push(...search.look(place, bytes));
    places += 1;
  }
  console.log(`${name}: ${places} searched for ${wanted.length} secrets, ${finds.length} finds`);
  if (name !== 'processArguments' || process.platform === 'linux') expect(places).toBeGreaterThan(2);
  return finds;
}

test('every kind of secret is among those searched for', () => {
  const names = secrets.map(({ name }) => name).join('\n');
  for (const kind of [
    /clients\.\d+\.secrets/,
    /okta_private_key: private number/,
    /platforms\.\d+\.password/,
    /platforms\.\d+\.secretKey/,
    /one challenge/,
    /one access token/,
    /identity challenge/,
    /push_key: private number/,
    /license token/,
    /authority_key: private number/,
    /token of the command line/,
    /key of the key ring/,
    /client secret of the identity provider/,
    /session of a person of the identity provider/,
  ])
    expect(names).toMatch(kind);
  expect(secrets.filter(({ name }) => name === 'one challenge').length).toBeGreaterThanOrEqual(4);
  expect(secrets.filter(({ name }) => name === 'identity challenge')).toHaveLength(3);
});

test.each(Object.keys(PLACES) as (keyof typeof PLACES)[])(
  'no secret is in %s',
  async (name) => {
    expect(await findsIn(name, secrets)).toEqual([]);
  },
  240_000,
);

test('the same search finds a secret that is planted on purpose, in a log, a table and a file', async () => {
  const planted = [{ name: 'control', bytes: Buffer.from(CONTROL) }];
  expect(await findsIn('files', planted)).toEqual([]);
  await appendFile(
    path.join(world.folder, 'logs', 'worker.log'),
    `{"msg":"${encodeURIComponent(CONTROL)}"}\n`,
  );
  await writeFile(path.join(world.folder, 'planted.bin'), deflateRawSync(Buffer.from(CONTROL, 'utf16le')));
  await database.query('create table planted (content text, packed bytea)');
  await database.query('insert into planted values ($1, $2)', [
    Buffer.from(`x${CONTROL}`).toString('base64'),
    gzipSync(CONTROL),
  ]);
  await database.query('checkpoint');
  const places = (await findsIn('files', planted)).map(({ place, form }) => `${place}: ${form}`);
  expect(places).toContainEqual(expect.stringMatching(/^logs\/worker\.log: URL/));
  expect(places).toContainEqual(expect.stringMatching(/^planted\.bin: UTF-16LE in deflate/));
  expect(places).toContainEqual(expect.stringMatching(/^postgres\/data\/.*: base64/));
  const found = (await findsIn('rows', planted)).map(({ place, form }) => `${place}: ${form}`);
  expect(found).toContainEqual(expect.stringMatching(/^planted\.content: base64/));
  expect(found).toContainEqual(expect.stringMatching(/^planted\.packed: plain in gzip/));
}, 240_000);

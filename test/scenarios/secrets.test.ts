// No secret is ever to be read where it does not belong: every secret of a setup, rollouts, failures, a replay and a renewal is
// searched in the database, Temporal's store and histories, logs, API answers, metrics and arguments of processes.
import { createPrivateKey, randomBytes, type KeyObject } from 'node:crypto';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase, type Database } from '../../adapters/store/database.ts';
import { openSecret } from '../../adapters/store/secrets.ts';
import { contract } from '../../api/contract.ts';
import type { Endpoint } from '../../api/contract/endpoint.ts';
import { SecretSearch, type Find, type PlantedSecret } from '../harness/secret-search.ts';
import { devicesOf, setUpTrust, type KnownDevice, type TrustedWorld } from '../harness/stage.ts';
import { eventually, startWorld, type World } from '../harness/world.ts';

/** An admin mistypes a secret, too: it is refused, and must not be kept either. */
const MISTYPED = `mistyped-${randomBytes(18).toString('base64url')}`;
const CONTROL = `planted on purpose & found: ${randomBytes(18).toString('base64url')}`;
/** The only files of Odette that may hold a secret. */
const OWN_SECRET_FILES = ['odette/odette.key', 'odette/cli-token'];

let world: World;
let trusted: TrustedWorld;
let database: Database;
let secrets: PlantedSecret[];

beforeAll(async () => {
  world = await startWorld();
  trusted = await setUpTrust(world);
  database = connectDatabase(world.databaseUrl);
  await useSecrets();
  secrets = await allSecrets();
}, 400_000);
afterAll(async () => {
  await database?.end();
  await world?.stop();
}, 60_000);

// What happens ------------------------------------------------------------------------------------------------------------------

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
  const { id } = await until('failing-mac', 'failed', ({ bucket }) => bucket === 'failed');
  await world.manage('PATCH', '/devices/failing-mac', { knobs: { breaks: [] } });
  await trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds: [id] } });
  await until('failing-mac', 'trusted after the replay', ({ bucket }) => bucket === 'trusted');
  await renew();
  await failChallenge();
}

/** An API Services app of the tenant's own: Odette makes the key. */
async function setUpSecondTenant(): Promise<void> {
  const { host } = await world.manage<{ host: string }>('GET', '/tenants/two');
  const { odette } = trusted.stage;
  let setup = await odette.call('post /api/setups', { body: {} });
  const answer = async (body: Parameters<typeof odette.call<'post /api/setups/{id}/answers'>>[1]) => {
    const answered = await odette.call('post /api/setups/{id}/answers', {
      params: { id: setup.id },
      ...body,
    });
    if ('status' in answered) setup = answered;
  };
  await answer({ body: { step: 'get_started' } });
  await answer({ body: { step: 'okta_domain', domain: host } });
  await answer({ body: { step: 'install_api_integration', credentialsKind: 'api_services_app' } });
  const { clientId } = await world.manage<{ clientId: string }>('POST', '/tenants/two/api-services-apps', {
    publicJwks: [setup.answers.publicJwk],
    scopes: ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'],
    roles: ['SUPER_ADMIN'],
    dpop: false,
  });
  await answer({ body: { step: 'credentials', clientId } });
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

// What is secret ----------------------------------------------------------------------------------------------------------------

async function allSecrets(): Promise<PlantedSecret[]> {
  const found = new Map<string, PlantedSecret>();
  const add = (name: string, value: string | Buffer): void => {
    const bytes = Buffer.from(value);
    const key = bytes.toString('base64');
    // What Odette keeps of the tenant's secrets is the same: it goes by the tenant's name.
    if (bytes.length >= 10 && !found.has(key)) found.set(key, { name, bytes });
  };
  add('mistyped password', MISTYPED);
  add('token of the command line', await world.token());
  for (const tenant of ['one', 'two'])
    for (const state of await jsonFilesIn(path.join(world.folder, 'sandbox', `tenant-${tenant}`)))
      for (const [at, value] of stringsIn(state))
        if (/secrets\.\d+\.value$|\.password$|\.secretKey$/.test(at)) add(`${tenant} ${at}`, value);
        else if (/^challenges\./.test(at)) add(`${tenant} challenge`, at.split('.')[1] ?? '');
  const licences = await readFile(trusted.stage.addresses.files.appsAndBooksToken, 'utf8');
  add('licence token', licences.trim());
  add(
    'inner licence token',
    (JSON.parse(Buffer.from(licences, 'base64').toString()) as { token: string }).token,
  );
  const ring = await KeyRing.open(path.join(world.folder, 'odette', 'odette.key'), { create: false });
  add('key of the key ring', ring.keyFor(ring.currentKeyId));
  // Whatever Odette itself holds to be a secret, keys that it made included.
  for (const { id, kind } of await database.query<{ id: string; kind: string }>(
    'select id, kind from secrets',
  )) {
    const { value } = await openSecret(database, ring, id);
    add(kind, value);
    for (const key of keysIn(value)) add(`${kind}: private number`, privateNumber(key));
  }
  return [...found.values()];
}

/** Keys in a secret: PEM, also inside JSON, or PKCS#8. */
function keysIn(value: Buffer): KeyObject[] {
  const text = value.toString('utf8').replaceAll('\\n', '\n');
  const pems = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g) ?? [];
  if (pems.length > 0) return pems.map((pem) => createPrivateKey(pem));
  try {
    return [createPrivateKey({ key: value, format: 'der', type: 'pkcs8' })];
  } catch {
    return [];
  }
}

const privateNumber = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');

async function jsonFilesIn(folder: string): Promise<unknown[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8')) as unknown),
  );
}

/** Every text in a JSON value with its place, and every key of an object without texts (`challenges`). */
function* stringsIn(value: unknown, at = ''): Generator<[string, string]> {
  if (typeof value === 'string') yield [at, value];
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      const place = at === '' ? key : `${at}.${key}`;
      if (at === 'challenges') yield [place, ''];
      yield* stringsIn(inner, place);
    }
}

// Where it is looked for ----------------------------------------------------------------------------------------------------------

type Places = AsyncGenerator<[place: string, bytes: Buffer]>;

/** All files of the world: data files of PostgreSQL with its log, Temporal's database with its log, logs of all processes. */
async function* files(): Places {
  for (const entry of await readdir(world.folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(world.folder, file);
    if (!entry.isFile() || name.startsWith('sandbox/') || OWN_SECRET_FILES.includes(name)) continue;
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes) yield [name, bytes];
  }
}

/** Every value of every row, as text and, where it is binary, as bytes. */
async function* rows(): Places {
  const columns = await database.query<{ table: string; column: string; type: string }>(
    `select table_name as "table", column_name as "column", data_type as type from information_schema.columns
      where table_schema = 'public'`,
  );
  for (const { table, column, type } of columns) {
    const cast = type === 'bytea' ? '' : '::text';
    const found = await database.query<{ value: Buffer | string | null }>(
      `select "${column}"${cast} as value from "${table}"`,
    );
    for (const { value } of found) if (value !== null) yield [`${table}.${column}`, Buffer.from(value)];
  }
}

/** Histories as Temporal keeps them: nobody decodes them here. */
async function* histories(): Places {
  const connection = await Connection.connect({ address: world.temporalAddress });
  try {
    const { executions } = await connection.workflowService.listWorkflowExecutions({
      namespace: 'default',
      pageSize: 1000,
    });
    for (const { execution } of executions) {
      let nextPageToken: Uint8Array = new Uint8Array();
      do {
        const page: proto.temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
          await connection.workflowService.getWorkflowExecutionHistory({
            namespace: 'default',
            execution: execution ?? null,
            nextPageToken,
          });
        nextPageToken = page.nextPageToken ?? new Uint8Array();
        const bytes = proto.temporal.api.history.v1.History.encode(page.history ?? {}).finish();
        yield [`history of ${execution?.workflowId}`, Buffer.from(bytes)];
        yield [`history of ${execution?.workflowId} as JSON`, Buffer.from(JSON.stringify(page.history))];
      } while (nextPageToken.length > 0);
    }
  } finally {
    await connection.close();
  }
}

/** Every GET of the contract, of every thing there is. */
async function* apiAnswers(): Places {
  const asked: string[] = [];
  for (const { method, path: template, answerType } of Object.values<Endpoint>(contract)) {
    if (method !== 'get' || answerType === 'text/event-stream') continue;
    for (const at of await addressesOf(template)) {
      const response = await fetchAdmin(at);
      asked.push(at);
      yield [`GET ${at} ${response.status}`, Buffer.from(await response.arrayBuffer())];
    }
  }
  expect(asked.length).toBeGreaterThan(20);
  const events = await fetchAdmin('/api/events', { 'last-event-id': '0' });
  yield ['GET /api/events', Buffer.from(await beginningOf(events))];
}

const fetchAdmin = async (at: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://${world.environment['ODETTE_ADMIN_LISTEN']}${at}`, {
    headers: { authorization: `Bearer ${await world.token()}`, ...headers },
  });

async function addressesOf(template: string): Promise<string[]> {
  const at = template.indexOf('/{id}');
  if (at < 0) return template.includes('{') ? [] : [template];
  if (template.indexOf('{', at + 2) >= 0) return [];
  const response = await fetchAdmin(template.slice(0, at));
  const { items = [] } = (await response.json()) as { items?: { id: string }[] };
  return items.map(({ id }) => template.replace('{id}', id));
}

async function beginningOf(response: Response): Promise<string> {
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const deadline = pause(3000).then(() => undefined);
  for (;;) {
    const read = await Promise.race([reader?.read(), deadline]);
    if (read?.value === undefined) break;
    text += read.value;
  }
  await reader?.cancel();
  return text;
}

async function* metrics(): Places {
  for (const name of ['ODETTE_ADMIN_LISTEN', 'ODETTE_WORKER_LISTEN', 'ODETTE_RELAY_LISTEN']) {
    const response = await fetch(`http://${world.environment[name]}/metrics`);
    expect(response.status, name).toBe(200);
    yield [`metrics of ${name}`, Buffer.from(await response.arrayBuffer())];
  }
}

/** Arguments of every process of this machine. */
async function* processArguments(): Places {
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const bytes = await readFile(`/proc/${pid}/cmdline`).catch(() => undefined);
    if (bytes) yield [`arguments of ${pid}`, bytes];
  }
}

const PLACES = { files, rows, histories, apiAnswers, metrics, processArguments };

async function findsIn(name: keyof typeof PLACES, wanted: readonly PlantedSecret[]): Promise<Find[]> {
  const search = new SecretSearch(wanted);
  const finds: Find[] = [];
  let places = 0;
  for await (const [place, bytes] of PLACES[name]()) {
    finds.push(...search.look(place, bytes));
    places += 1;
  }
  console.log(`${name}: ${places} searched for ${wanted.length} secrets, ${finds.length} finds`);
  if (name !== 'processArguments' || process.platform === 'linux') expect(places).toBeGreaterThan(0);
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
    /push_key: private number/,
    /licence token/,
    /authority_key: private number/,
    /token of the command line/,
    /key of the key ring/,
  ])
    expect(names).toMatch(kind);
  expect(secrets.filter(({ name }) => name === 'one challenge').length).toBeGreaterThanOrEqual(4);
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

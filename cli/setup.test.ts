// `odette setup apply`: walks the wizard from a file, resumes, tells nothing twice, keeps secrets out of the file and out of what it says.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../api/http/problem.ts';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';
import { PretendWizard, type GivenAnswer } from '../test/harness/pretend-wizard.ts';

const SETUP = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const SECRETS = ['client-secret-value', 'challenge-password-value', 'ios-secret-key-value'] as const;

let server: ContractServer;
let folder: string;
let wizard: PretendWizard;

beforeAll(async () => {
  server = await startContractServer();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-setup-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  wizard = new PretendWizard();
  wizard.play(server.plays);
  await writeFile(path.join(folder, 'password.txt'), `${SECRETS[1]}\n`);
  await writeFile(path.join(folder, 'ios.json'), JSON.stringify({ secretKey: SECRETS[2] }));
});
afterEach(() => {
  server.calls.length = 0;
});

const FILE = `
domain: acme.okta.com
credentials: { clientId: 0oa1, clientSecret: { env: OKTA_CLIENT_SECRET } }
confirm: [adaptive_mfa]
platforms:
  macOS:
    scepUrl: https://acme.okta.com/scep
    challengeUrl: https://acme.okta.com/challenge
    username: user
    password: { file: password.txt }
  iOS: { secretKey: { file: ios.json, field: secretKey } }
`;

async function apply(content: string, options: { typed?: string[]; again?: string } = {}): Promise<Ran> {
  const file = path.join(folder, 'setup.yaml');
  await writeFile(file, content);
  const { again, ...rest } = options;
  return runOdette(['setup', 'apply', '-f', file, ...(again === undefined ? [] : ['--again', again])], {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN, OKTA_CLIENT_SECRET: SECRETS[0] },
    ...rest,
  });
}
const answers = () =>
  server.calls.filter(({ operation }) => operation === 'answerSetup').map(({ body }) => body as GivenAnswer);
const steps = () => answers().map(({ step }) => step);

test('the whole wizard is walked in its order, and no secret is said', async () => {
  const { code, printed, told: said } = await apply(FILE);
  expect(code, said).toBe(0);
  expect(steps()).toEqual([
    'get_started',
    'okta_domain',
    'credentials_kind',
    'okta_tasks',
    'credentials',
    'connect',
    'platforms',
    'macos',
    'ios',
    'complete',
  ]);
  expect(answers().find(({ step }) => step === 'ios')).toEqual({
    step: 'ios',
    secretKey: SECRETS[2],
    providerName: 'Odette',
  });
  expect(printed).toContain('acme.okta.com is connected.');
  for (const secret of SECRETS) expect(printed + said).not.toContain(secret);
});

test('a file that only observes names no platform, and none is asked for', async () => {
  const observing = 'channel: observe_only\n' + FILE.slice(0, FILE.indexOf('platforms:'));
  const { code, told: said } = await apply(observing);
  expect(code, said).toBe(0);
  expect(answers()[0]).toEqual({ step: 'get_started', channel: 'observe_only' });
  expect(steps().slice(-2)).toEqual(['connect', 'complete']);
  server.calls.length = 0;
  expect((await apply(observing)).printed).toContain('everything matches the file');
  const without = await apply(observing.replace('observe_only', 'built_in'));
  expect([without.code, without.told]).toEqual([2, expect.stringContaining('name macOS, iOS or both')]);
});

test.each(['nanomdm', 'fleet'] as const)('a file may say that devices are reached by %s', async (channel) => {
  const { code, told: said } = await apply(`channel: ${channel}\n${FILE}`);
  expect(code, said).toBe(0);
  expect(answers()[0]).toEqual({ step: 'get_started', channel });
  expect(steps()).toContain('platforms');
});

test('given again it changes nothing', async () => {
  await apply(FILE);
  server.calls.length = 0;
  const { code, printed } = await apply(FILE);
  expect(code).toBe(0);
  expect(steps()).toEqual([]);
  expect(printed).toContain('everything matches the file');
});

test('an interrupted setup goes on where it stopped, and tells nothing twice', async () => {
  server.plays.answerSetup = ({ body }) => {
    if ((body as GivenAnswer).step === 'platforms') throw new ProblemError('okta.unreachable');
    return wizard.answer(body as GivenAnswer);
  };
  expect((await apply(FILE)).code).toBe(1);
  server.calls.length = 0;
  server.plays.answerSetup = ({ body }) => wizard.answer(body as GivenAnswer);
  expect((await apply(FILE)).code).toBe(0);
  expect(steps()).toEqual(['platforms', 'macos', 'ios', 'complete']);
});

test('an answer that changed in the file is given again, and so is a secret that is named', async () => {
  await apply(FILE);
  server.calls.length = 0;
  expect((await apply(FILE.replace('username: user', 'username: other'))).code).toBe(0);
  expect(steps()).toEqual(['macos', 'complete']);
  server.calls.length = 0;
  await apply(FILE.replace('username: user', 'username: other'), { again: 'ios' });
  expect(steps()).toEqual(['ios', 'complete']);
});

test('what Odette cannot check is asked for, or has to be in the file', async () => {
  const unsure = FILE.replace('confirm: [adaptive_mfa]', '');
  const alone = await apply(unsure);
  expect(alone.code).toBe(4);
  expect(alone.told).toContain('confirm: [adaptive_mfa]');
  const asked = await apply(unsure, { typed: ['y'] });
  expect(asked.code).toBe(0);
  expect(asked.questions).toHaveLength(1);
});

test('a prerequisite that failed names what to do and stops there', async () => {
  wizard.failing = 'fastpass_active';
  const { code, told: said } = await apply(FILE);
  expect(code).toBe(4);
  expect(said).toContain('✗ Prerequisite fastpass_active');
  expect(said).toContain('Do it in Okta.');
  wizard.failing = undefined;
  expect((await apply(FILE)).code).toBe(0);
});

test('an app of the tenant’s own: the first run shows the key to paste, the second goes on', async () => {
  const own = FILE.replace(
    'clientId: 0oa1, clientSecret: { env: OKTA_CLIENT_SECRET }',
    'kind: api_services_app',
  );
  const first = await apply(own);
  expect(first.code).toBe(4);
  expect(first.told).toContain('{"kty":"RSA"}');
  server.calls.length = 0;
  expect(
    (await apply(own.replace('kind: api_services_app', 'kind: api_services_app, clientId: 0oa2'))).code,
  ).toBe(0);
  expect(steps()[0]).toBe('okta_tasks');
});

test('a new key for it is shown until Okta knows it, and the walk then goes on with that key', async () => {
  const own = FILE.replace(
    'clientId: 0oa1, clientSecret: { env: OKTA_CLIENT_SECRET }',
    'kind: api_services_app, clientId: 0oa2',
  );
  expect((await apply(own)).code).toBe(0);
  let isInOkta = false;
  server.plays.answerSetup = ({ body }) => {
    const answer = body as GivenAnswer;
    if (answer.step === 'credentials' && !isInOkta) throw new ProblemError('okta.client_id_unknown');
    return wizard.answer(answer.step === 'credentials_kind' ? { ...answer, secretId: 'new' } : answer);
  };
  server.calls.length = 0;
  const shown = await apply(own, { again: 'credentials_kind' });
  expect(shown.code).toBe(1);
  expect(shown.told).toContain('{"kty":"RSA"}');
  isInOkta = true;
  expect((await apply(own)).code).toBe(0);
  expect(steps()).toEqual(['credentials_kind', 'credentials', 'credentials', 'connect', 'complete']);
});

test('a check that takes its time is waited for at the place that Odette names', async () => {
  const end = 'answer-1';
  server.plays.answerSetup = ({ body }) => {
    const state = wizard.answer(body as GivenAnswer);
    if ((body as GivenAnswer).step !== 'connect') return state;
    const location = { Location: `/api/setups/${SETUP}/answers/${end}` };
    return new Reply(202, { setupId: SETUP, answerId: end, checking: true }, location);
  };
  expect((await apply(FILE)).code).toBe(0);
  expect(server.calls.filter(({ operation }) => operation === 'getSetupAnswer')).toHaveLength(1);
});

test('a file that is wrong is refused by field, without its values, before anything is sent', async () => {
  const open = await apply(FILE.replace('{ env: OKTA_CLIENT_SECRET }', SECRETS[0]));
  expect(open.code).toBe(2);
  expect(open.told).toMatch(/credentials\.clientSecret: is a secret: give its place/);
  expect(open.told).not.toContain(SECRETS[0]);
  for (const wrong of ['domain: [', FILE.replace('confirm:', 'confrim:'), 'domain: acme.okta.com'])
    expect((await apply(wrong)).code).toBe(2);
  expect(server.calls).toEqual([]);
});

test('a secret that is not where the file says ends the walk at its step, with what to do there; with it the walk goes on', async () => {
  const later = FILE.replace('password.txt', 'later.txt');
  const first = await apply(later);
  expect(first.code).toBe(4);
  expect(first.told).toMatch(
    /waits at “platforms”\. platforms\.macOS\.password: .*later\.txt does not exist yet/,
  );
  expect(first.told).toContain('Title of platforms');
  server.calls.length = 0;
  await writeFile(path.join(folder, 'later.txt'), SECRETS[1]);
  expect((await apply(later)).code).toBe(0);
  expect(steps()).toEqual(['platforms', 'macos', 'ios', 'complete']);
  server.calls.length = 0;
  wizard = new PretendWizard();
  wizard.play(server.plays);
  const before = await apply(FILE.replace('{ env: OKTA_CLIENT_SECRET }', '{ file: none.txt }'));
  expect(before.code).toBe(4);
  expect(before.told).toContain('Title of okta_tasks');
});

test('a secret that is to be typed in is asked for once', async () => {
  const asked = await apply(FILE.replace('{ file: password.txt }', '{ prompt: true }'), { typed: ['typed'] });
  expect(asked.code).toBe(0);
  expect(asked.questions).toEqual(['platforms.macOS.password: ']);
  expect(answers().find(({ step }) => step === 'macos')).toMatchObject({ password: 'typed' });
});

test('`setup show` says where it stands and what to do in Okta', async () => {
  await apply(FILE.replace('acme.okta.com', 'other.example.com'));
  const environment = { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN };
  const { printed } = await runOdette(['setup', 'show'], { environment });
  expect(printed).toContain('→ Title of okta_domain');
  expect(printed).toContain('- Paste this.');
});

test('`setup abandon` gives an open setup up', async () => {
  const given: string[] = [];
  server.plays.abandonSetup = ({ params }) => {
    given.push(String(params['id']));
    return new Reply(204, undefined);
  };
  const environment = { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN };
  expect(await runOdette(['setup', 'abandon', SETUP], { environment })).toMatchObject({
    code: 0,
    printed: 'Abandoned.',
  });
  expect(given).toEqual([SETUP]);
});

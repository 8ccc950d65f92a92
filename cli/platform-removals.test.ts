// `odette removal` and `odette readiness --csv`: what is shown before anything begins, what is sent, and the way back.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';
import { shownIntegration } from '../test/harness/shown-integration.ts';

const AT = '2027-01-02T03:04:05.000Z';
const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const removal = (status: 'waiting' | 'undone') => ({
  id: '7d0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b12',
  integration: { id: ID, name: 'acme', host: 'acme.okta.com' },
  platform: 'macOS' as const,
  status,
  reason: null,
  usersLosingTrust: 2,
  askedBy: 'person:ada',
  askedAt: AT,
  startsAt: AT,
  isAtOnce: false,
  left: 3,
  taken: 0,
  done: 0,
  failed: 0,
  silent: 0,
  pending: 0,
  finishedAt: status === 'undone' ? AT : null,
});
let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
  server.plays.listIntegrations = () => ({ items: [shownIntegration({ id: ID })] });
  server.plays.previewPlatformRemoval = () => ({
    devices: { macOS: 3, iOS: 0 },
    usersLosingTrust: ['ada@acme.com', 'ben@acme.com'],
    usersLosingTrustTotal: 2,
    asOf: AT,
    confirmation: 'remove macOS from acme.okta.com',
    startsInMinutes: 15,
  });
  server.plays.removePlatform = () => new Reply(202, removal('waiting'));
  server.plays.listPlatformRemovals = () => ({ items: [removal('waiting')] });
  server.plays.changePlatformRemoval = () => removal('undone');
  server.plays.exportReadiness = () =>
    new Reply(
      200,
      'login,ready,devices,reason,asOf\r\nben@acme.com,false,,Odette does not know any device of this user.,\r\n',
      {
        'content-type': 'text/csv; charset=utf-8',
      },
    );
});
afterAll(() => server.stop());

const odette = (...words: string[]): Promise<Ran> =>
  runOdette(words, { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const sent = (operation: string) =>
  server.calls.filter((call) => call.operation === operation).map(({ body }) => body);

test('without both confirmations it names who would be locked out and what to type, and begins nothing', async () => {
  const { code, told } = await odette('removal', 'start', '--platform', 'macOS', '--policy-lifted');
  expect(code).toBe(4);
  expect(told).toContain('2 users would be locked out');
  expect(told).toContain('ben@acme.com');
  expect(told).toContain("--policy-lifted --confirm 'remove macOS from acme.okta.com'");
  expect(sent('removePlatform')).toEqual([]);
});

test('with both it begins, and may be undone by its id or because it is the only one', async () => {
  const phrase = 'remove macOS from acme.okta.com';
  const begun = await odette(
    'removal',
    'start',
    '--platform',
    'macOS',
    '--policy-lifted',
    '--confirm',
    phrase,
  );
  expect(begun.printed).toContain('acme.okta.com, macOS: waiting');
  expect(sent('removePlatform')).toEqual([{ platform: 'macOS', confirmation: phrase, policyIsLifted: true }]);
  expect((await odette('removal', 'undo')).printed).toContain('undone');
  expect((await odette('removal', 'all-at-once')).code).toBe(0);
  expect(sent('changePlatformRemoval')).toEqual([{ action: 'undo' }, { action: 'all_at_once' }]);
});

test('readiness is printed as the CSV that the API exports', async () => {
  const { printed } = await odette('readiness', '--csv');
  expect(printed.split(/\r?\n/).slice(0, 2)).toEqual([
    'login,ready,devices,reason,asOf',
    'ben@acme.com,false,,Odette does not know any device of this user.,',
  ]);
});

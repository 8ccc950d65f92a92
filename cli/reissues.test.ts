// `odette reissue`: what stopped is shown with its causes, and goes on at one word.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { shownIntegration } from '../test/harness/shown-integration.ts';

const AT = '2027-01-02T03:04:05.000Z';
let server: ContractServer;
const halted = (platform: 'macOS' | 'iOS') => ({
  platform,
  reason: 'many_fell' as const,
  haltedAt: AT,
  text: `Many fell on ${platform}. Was the secret key reset in Okta?`,
  likelyCauses: ['Was the secret key reset in Okta?'],
  held: 8,
});
beforeAll(async () => {
  server = await startContractServer();
  server.plays.listIntegrations = () => ({
    items: [shownIntegration({ haltedReissues: [halted('macOS'), halted('iOS')] })],
  });
  server.plays.resumeReissues = () => ({ devices: 8 });
});
afterAll(() => server.stop());

const odette = (line: string): Promise<Ran> =>
  runOdette(line.split(' '), { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });

test('what stopped is listed with its likely causes and the command that lets it go on', async () => {
  const { printed } = await odette('reissue list');
  expect(printed).toContain('Many fell on iOS.');
  expect(printed).toContain('- Was the secret key reset in Okta?');
  expect(printed).toContain('8 devices waiting: odette reissue resume --integration');
});

test('one platform goes on, or all that stopped', async () => {
  expect((await odette('reissue resume --platform iOS')).printed).toContain(
    'Odette requested 8 new certificates',
  );
  const { printed } = await odette('reissue resume --json');
  expect(JSON.parse(printed)).toEqual({ platforms: ['macOS', 'iOS'], devices: 16 });
  const resumed = server.calls.filter(({ operation }) => operation === 'resumeReissues');
  expect(resumed.map(({ body }) => body)).toEqual([
    { platform: 'iOS' },
    { platform: 'macOS' },
    { platform: 'iOS' },
  ]);
});

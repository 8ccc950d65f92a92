// `odette integration` against a server that speaks the contract.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { shownIntegration } from '../test/harness/shown-integration.ts';

const AT = '2027-01-02T03:04:05.000Z';
let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());

const odette = (...args: string[]) =>
  runOdette(args, { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });

test('lists each tenant with its platforms and what is wrong', async () => {
  const failed = { connection: 'okta', ok: false, failure: null, at: AT } as const;
  server.plays.listIntegrations = () => ({
    items: [
      shownIntegration(),
      shownIntegration({ name: 'beta', host: 'beta.okta.com', channel: 'observe_only', health: [failed] }),
    ],
  });
  const { printed } = await odette('integration', 'list');
  expect(printed.split('\n')).toEqual([
    'NAME  HOST           PLATFORMS      STATE',
    'acme  acme.okta.com  none           ok',
    'beta  beta.okta.com  observed only  okta failed',
  ]);
});

test('shows one tenant, with the remedy of what is not met', async () => {
  const item = { confirmed: false, canBeConfirmed: false, detail: '' };
  server.plays.listIntegrations = () => ({
    items: [
      shownIntegration({
        check: {
          at: AT,
          failure: null,
          items: [
            { ...item, id: 'identity_engine', title: 'Identity Engine', result: 'passed', remedy: '' },
            {
              ...item,
              id: 'fastpass_active',
              title: 'Okta FastPass is active',
              result: 'failed',
              remedy: 'Turn it on.',
            },
          ],
          customDomain: null,
          strayDomains: [],
          authority: null,
          authorityChange: null,
        },
      }),
    ],
  });
  const { code, printed } = await odette('integration', 'show');
  expect(code).toBe(0);
  expect(printed).toContain('acme (acme.okta.com)');
  expect(printed).toContain('  ✓ Identity Engine\n  ✗ Okta FastPass is active\n      Turn it on.');
  expect((await odette('integration', 'show', 'gamma')).told).toContain('There is no integration gamma.');
});

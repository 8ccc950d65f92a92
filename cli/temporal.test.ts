// `odette temporal seal`: prints what `temporal … --input` takes, and asks for nothing that the API would not seal.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

const PAYLOAD = { metadata: { encoding: 'YmluYXJ5L2VuY3J5cHRlZA==' }, data: 'c2VhbGVk' };
const WORKFLOW = 'certificate/3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
  server.plays.sealMessage = () => ({ payload: PAYLOAD });
});
beforeEach(() => {
  server.calls.length = 0;
});
afterAll(() => server.stop());

const odette = (...words: string[]) =>
  runOdette(words, { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });

test.each([
  ['with a body', ['--input', '{"reason":"by hand"}'], { reason: 'by hand' }],
  ['without one', [], {}],
])(
  'a message %s is sealed for its workflow and name, and printed as one line of JSON',
  async (_what, input, body) => {
    const { code, printed } = await odette('temporal', 'seal', WORKFLOW, 'renewNow', ...input);
    const lines = printed.trim().split('\n');
    expect([code, lines.map((each) => JSON.parse(each) as unknown)]).toEqual([0, [PAYLOAD]]);
    expect(server.calls.map((call) => call.body)).toEqual([{ workflowId: WORKFLOW, name: 'renewNow', body }]);
  },
);

test('what is no JSON ends with 2, and nothing is asked', async () => {
  const { code } = await odette('temporal', 'seal', WORKFLOW, 'renewNow', '--input', '{reason}');
  expect([code, server.calls]).toEqual([2, []]);
});

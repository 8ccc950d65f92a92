// `odette rollout replay`, `replays` and `stop`: cause by cause, watched and stopped by the id of the replay.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import {
  CONTRACT_TOKEN,
  Reply,
  startContractServer,
  type ContractServer,
} from '../test/harness/contract-server.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';
const lacking = { delivered: 1, certificatePresent: 0, oktaVerifyManaged: 1 };
const replay = {
  id: ID,
  startedAt: AT,
  startedBy: 'person:ada',
  reason: 'fixed',
  failureCode: 'mdm.device_silent',
  stoppedAt: null,
  stoppedBy: null,
  devices: 9,
  waiting: 4,
  running: 3,
  completed: 1,
  failed: 1,
  withdrawn: 0,
};

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.plays.replayRollouts = () => new Reply(202, { devices: 2, lacking, replayId: ID, next: null });
  server.plays.listFailures = () => ({
    items: (['mdm.device_silent', 'mdm.app_not_installed'] as const).map((code) => ({
      failure: { code, title: 'T', remedy: 'D', owner: 'operator', isRetried: false },
      devices: 2,
      examples: [{ id: ID, name: 'mac-ada', serialNumber: null }],
      newestAt: AT,
    })),
  });
});
afterEach(() => {
  server.calls.length = 0;
});

const odette = (line: string): Promise<Ran> =>
  runOdette(line.split(' '), { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const bodies = () => server.calls.map(({ body }) => body).filter((body) => body !== undefined);

test('all that failed is replayed cause by cause, or for one cause', async () => {
  const { printed } = await odette('rollout replay --failed --json');
  expect(JSON.parse(printed)).toEqual({
    devices: 4,
    lacking: { delivered: 2, certificatePresent: 0, oktaVerifyManaged: 2 },
    replayIds: [ID, ID],
  });
  server.calls.length = 0;
  await odette('rollout replay --failed --cause mdm.device_silent --preview');
  expect(bodies()).toMatchObject([{ failureCode: 'mdm.device_silent', preview: true }]);
  expect((await odette('rollout failures')).printed).toMatch(/mdm\.device_silent\s+2\s+mac-ada/);
});

test('a group too large for one request is replayed in portions, and all of it is counted', async () => {
  server.plays.replayRollouts = ({ body }) =>
    new Reply(202, {
      devices: 2,
      lacking,
      replayId: ID,
      next: (body as { after?: string }).after === undefined ? 'rest' : null,
    });
  const { printed } = await odette('rollout replay --failed --cause mdm.device_silent');
  expect(printed).toMatch(/^Started again for 4 devices\./);
  expect(bodies().map((body) => (body as { after?: string }).after)).toEqual([undefined, 'rest']);
});

test('a replay is watched by its counts, and stopped by its id', async () => {
  server.plays.listReplays = () => ({ items: [replay] });
  const stopped = { waiting: 0, withdrawn: 4, stoppedAt: AT, stoppedBy: 'person:ada' };
  server.plays.stopReplay = () => ({ ...replay, ...stopped });
  expect((await odette('rollout replays')).printed).toMatch(/mdm\.device_silent\s+9\s+4\s+3\s+1\s+1\s+–/);
  const { code, printed } = await odette(`rollout stop ${ID}`);
  expect([code, printed]).toEqual([0, 'Stopped: 4 devices left as before, 3 under way.']);
  expect(server.calls.at(-1)?.params).toEqual({ id: ID });
});

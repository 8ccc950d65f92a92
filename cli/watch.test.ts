// `--watch`: an answer again whenever it changes, in its place on a terminal, until nothing is under way.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { linePrinter } from './terminal.ts';

const AT = '2027-01-02T03:04:05.000Z';
const replay = (counts: { waiting: number; running: number; completed: number }) => ({
  id: '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11',
  startedAt: AT,
  startedBy: 'person:ada',
  reason: 'fixed',
  failureCode: 'mdm.device_silent',
  stoppedAt: null,
  stoppedBy: null,
  devices: 2,
  failed: 0,
  withdrawn: 0,
  ...counts,
});
const STATES = [
  replay({ waiting: 1, running: 1, completed: 0 }),
  replay({ waiting: 1, running: 1, completed: 0 }),
  replay({ waiting: 0, running: 0, completed: 2 }),
];

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());

async function watch(...words: string[]): Promise<{ printed: string; looks: number }> {
  let looks = 0;
  server.plays.listReplays = () => ({ items: [STATES[looks++] ?? STATES[2]] });
  const { printed } = await runOdette(['rollout', 'replays', ...words], {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
  });
  return { printed, looks };
}

test('an answer is shown again when it has changed, and the command ends when nothing is under way', async () => {
  const { printed, looks } = await watch('--watch');
  expect(looks).toBe(3);
  expect(printed.match(/^STARTED/gm)).toHaveLength(2);
});

test('a program reads one line of JSON for each change', async () => {
  const { printed } = await watch('--watch', '--json');
  expect(printed.split('\n').map((text) => (JSON.parse(text) as { items: unknown[] }).items)).toEqual([
    [STATES[0]],
    [STATES[2]],
  ]);
});

test('without --watch it is shown once', async () => {
  expect((await watch()).looks).toBe(1);
});

const printerOn = (terminal: { isTTY?: boolean; columns?: number; rows?: number }, colors = true) => {
  let written = '';
  const printLines = linePrinter({ ...terminal, write: (text) => (written += text) }, colors);
  return { printLines, written: () => written };
};

test('on a terminal what is shown again takes the place of the last, also of lines that were wider than it', () => {
  const { printLines, written } = printerOn({ isTTY: true, columns: 10, rows: 24 });
  printLines([{ text: 'one' }, { text: 'wider than ten' }], false);
  printLines([{ text: 'two' }], true);
  expect(written()).toBe('one\nwider than ten\n\u001b[3F\u001b[Jtwo\n');
});

test('what has left the screen stays as it was', () => {
  const { printLines, written } = printerOn({ isTTY: true, columns: 80, rows: 3 });
  printLines([{ text: '1' }, { text: '2' }, { text: '3' }, { text: '4' }], false);
  printLines([{ text: '5' }], true);
  expect(written()).toContain('\u001b[2F\u001b[J5');
});

test.each([
  ['a person who wants no color', { isTTY: true }, false, 'state\nrefused\n'],
  ['a file', {}, true, 'state\nrefused\n'],
  ['a terminal', { isTTY: true }, true, '\u001b[1mstate\u001b[22m\n\u001b[31mrefused\u001b[39m\n'],
])('%s gets lines in the colors that it shows', (_, terminal, colors, expected) => {
  const { printLines, written } = printerOn(terminal, colors);
  printLines(
    [
      { text: 'state', tone: 'head' },
      { text: 'refused', tone: 'bad' },
    ],
    false,
  );
  expect(written()).toBe(expected);
});

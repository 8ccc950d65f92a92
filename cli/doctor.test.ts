// `odette doctor`: why one device, or every device that is not trusted, is not managed in Okta, and what to do.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette, type Ran } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';
import { shownDevice } from '../test/harness/shown-device.ts';
import type { ResponseOf } from './odette-client.ts';

type Examined = ResponseOf<'get /api/doctor'>['items'][number];

type Diagnosis = Examined['diagnoses'][number];

const diagnosis = (cause: Diagnosis['cause'], title: string, action: Diagnosis['action']): Diagnosis => ({
  cause,
  title,
  evidence: `${title}, says Okta.`,
  remedy: 'Tell its user.',
  owner: 'user',
  action,
  user: null,
});
const LATE = diagnosis('certificate_late', 'The certificate was not renewed', 'renew');
const EXPIRED = diagnosis('certificate_expired', 'The certificate has expired', null);
const examined = (name: string, diagnoses: Diagnosis[]): Examined => ({
  device: {
    id: globalThis.crypto.randomUUID(),
    name,
    serialNumber: `C02${name.toUpperCase()}`,
    user: null,
    bucket: 'needs_you',
  },
  diagnoses,
});

let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());

const odette = (...words: string[]): Promise<Ran> =>
  runOdette(['doctor', ...words], { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });

test('the fleet is told by cause, the most frequent first, over all pages', async () => {
  const pages = [
    { items: [examined('ada', [LATE]), examined('bob', [EXPIRED])], next: 'more' },
    {
      items: [examined('cleo', [EXPIRED, LATE]), examined('dan', [EXPIRED]), examined('eve', [])],
      next: null,
    },
  ];
  server.plays.examineFleet = ({ query }) => (query.get('after') === 'more' ? pages[1] : pages[0]);
  const { code, printed } = await odette();
  expect(code).toBe(0);
  expect(printed).toContain('5 devices not trusted.');
  expect(printed).toContain('3  The certificate has expired\n  bob, cleo, dan\n  To do: Tell its user.');
  expect(printed.indexOf('3  The')).toBeLessThan(printed.indexOf('2  The certificate was not renewed'));
  expect(printed).toContain('1 without a known cause');
  expect((JSON.parse((await odette('--json')).printed) as { items: unknown[] }).items).toHaveLength(5);
});

test('one device is told cause by cause, with the command that helps', async () => {
  server.plays.listDevices = () => ({ items: [shownDevice()], next: null });
  server.plays.examineDevice = () => ({ items: [LATE, EXPIRED] });
  const { printed } = await odette('C02ADA');
  expect(printed).toContain(
    'The certificate was not renewed\n  Evidence: The certificate was not renewed, says Okta.\n  To do:    Tell its user.\n  Then:     odette device renew C02ADA',
  );
  server.plays.examineDevice = () => ({ items: [] });
  expect((await odette('C02ADA')).printed).toContain('Nothing found.');
});

test('a fleet without anything to do says so', async () => {
  server.plays.examineFleet = () => ({ items: [], next: null });
  expect((await odette()).printed).toContain('Every device in scope is trusted.');
});

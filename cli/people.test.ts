// People, who has read the iOS key, and whom an enrollment code is for: what the commands ask for and print.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';
let server: ContractServer;
beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.stop());

const odette = (line: string) =>
  runOdette(line.split(' '), { environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN } });
const last = () => server.calls.at(-1);

test('a person who is locked out is named, and only that one is reset', async () => {
  server.plays.listPeople = () => ({
    items: [
      {
        id: ID,
        name: 'ada',
        role: 'admin',
        isLocal: true,
        createdAt: AT,
        disabledAt: null,
        hasSecondFactor: true,
      },
    ],
  });
  server.plays.resetSecondFactor = () => undefined;
  expect((await odette('person list')).printed).toMatch(/ada\s+admin\s+local password\s+on/);
  const wrong = await odette('person reset-second-factor bob');
  expect([wrong.code, last()?.operation]).toEqual([1, 'listPeople']);
  expect((await odette('person reset-second-factor ada')).code).toBe(0);
  expect(last()).toMatchObject({ operation: 'resetSecondFactor', params: { id: ID } });
});

test('a second factor is required by on, and by nothing else', async () => {
  server.plays.setSignInPolicy = ({ body }) => body;
  expect((await odette('person require-second-factor on')).code).toBe(0);
  expect(last()?.body).toEqual({ isSecondFactorRequired: true });
  expect((await odette('person require-second-factor yes')).code).toBe(2);
});

test('an enrollment code is for the platform that is named, and says so', async () => {
  const blueprint = {
    id: ID,
    name: 'Test',
    devices: 0,
    libraryItemId: null,
    enrollmentLink: null,
    createdAt: AT,
  };
  server.plays.listBlueprints = () => ({ items: [blueprint] });
  server.plays.createEnrollmentCode = ({ body }) => ({
    id: ID,
    blueprintId: ID,
    user: null,
    forUdid: null,
    uses: 0,
    expiresAt: AT,
    revokedAt: null,
    createdBy: 'person:ada',
    createdAt: AT,
    code: 'ABC',
    link: null,
    maxUses: 1,
    platforms: (body as { platforms: string[] }).platforms,
  });
  const one = await odette('enrollment-code create --blueprint Test --platform iOS');
  expect(last()?.body).toMatchObject({ platforms: ['iOS'] });
  expect(one.printed).toContain('For 1 device (iOS)');
  expect((await odette('enrollment-code create --blueprint Test')).printed).toContain('(macOS and iOS)');
  expect((await odette('enrollment-code create --blueprint Test --platform Windows')).code).toBe(2);
});

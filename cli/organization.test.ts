// `odette organization` against a server that speaks the contract: what is not named stays.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOdette } from '../test/harness/command-line.ts';
import { CONTRACT_TOKEN, startContractServer, type ContractServer } from '../test/harness/contract-server.ts';

let server: ContractServer;
let folder: string;
beforeAll(async () => {
  server = await startContractServer();
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-organization-'));
  await writeFile(path.join(folder, 'logo.png'), 'a picture');
  server.plays.getOrganization = () => ({ name: 'Acme', logoHash: null });
  server.plays.setOrganization = ({ body }) => ({
    name: (body as { name: string | null }).name,
    logoHash: null,
  });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const odette = (...args: string[]) =>
  runOdette(['organization', ...args], {
    environment: { ODETTE_URL: server.url, ODETTE_TOKEN: CONTRACT_TOKEN },
  });
const given = () => server.calls.findLast(({ operation }) => operation === 'setOrganization')?.body;

test('shows name and logo', async () => {
  expect((await odette('show')).printed).toBe('Name: Acme\nLogo: none');
});

test('changes what is named and leaves the rest', async () => {
  await odette('set', '--logo', path.join(folder, 'logo.png'));
  expect(given()).toEqual({ name: 'Acme', logo: Buffer.from('a picture').toString('base64') });
  await odette('set', '--no-logo', '--name', 'Acme & Sons');
  expect(given()).toEqual({ name: 'Acme & Sons', logo: null });
  expect((await odette('set', '--no-name')).printed).toContain('Name: none');
  expect(given()).toEqual({ name: null });
});

test('without anything to change it is a mistake', async () => {
  expect(await odette('set')).toMatchObject({
    code: 2,
    told: expect.stringContaining('--no-logo') as string,
  });
});

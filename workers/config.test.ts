// Settings are read once, and whatever is wrong is said together.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { ConfigError, hostAndPort, readConfig } from './config.ts';

test('nothing set gives the defaults', () => {
  const config = readConfig({ ODETTE_DATA_DIR: '/data' });
  expect(config).toMatchObject({
    keyFile: '/data/odette.key',
    adminListen: { host: '127.0.0.1', port: 4780 },
    consoleUrl: 'http://127.0.0.1:4780',
    apnsUrl: 'https://api.push.apple.com',
    tls: undefined,
    allowedPrivateHosts: [],
    workerVersions: 'one',
    longPollMs: 10_000,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('every problem is named in one error, and no value is repeated', () => {
  const read = () =>
    readConfig({
      DATABASE_URL: 'mysql://odette:planted@db/odette',
      ODETTE_ADMIN_LISTEN: '4780',
      ODETTE_PUBLIC_URL: 'http://mdm.example.com',
      ODETTE_TLS_CERT_FILE: '/tls.pem',
      ODETTE_LONG_POLL_MS: '-1',
      ODETTE_LONGPOLLMS: '5',
    });
  expect(read).toThrow(ConfigError);
  let message = '';
  try {
    read();
  } catch (error) {
    message = String(error);
  }
  for (const name of [
    'DATABASE_URL',
    'ODETTE_ADMIN_LISTEN',
    'ODETTE_PUBLIC_URL',
    'ODETTE_LONG_POLL_MS',
    'ODETTE_LONGPOLLMS',
  ])
    expect(message).toContain(name);
  expect(message).not.toContain('planted');
});

test('a certificate without its key is refused', () => {
  expect(() => readConfig({ ODETTE_TLS_CERT_FILE: '/tls.pem' })).toThrow(/set together/);
});

test('an empty variable counts as not given, and lists are trimmed', () => {
  const config = readConfig({
    DATABASE_URL: '',
    ODETTE_ALLOWED_PRIVATE_HOSTS: ' localhost:4791, 10.0.0.1 ,',
  });
  expect(config.databaseUrl).toBeUndefined();
  expect(config.allowedPrivateHosts).toEqual(['localhost:4791', '10.0.0.1']);
});

test('a trusted proxy is an address or a network, and a slip of the pen trusts nobody', () => {
  const networks = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'];
  expect(readConfig({ ODETTE_TRUSTED_PROXY: networks.join() }).trustedProxies).toEqual(networks);
  for (const wrong of ['10.0.0.0/', '10.0.0.0/33', 'proxy.internal', '10.0.0.0/8/8', '10.0.0/8'])
    expect(() => readConfig({ ODETTE_TRUSTED_PROXY: wrong })).toThrow(/ODETTE_TRUSTED_PROXY/);
});

test('an address that means "all" is shown as one that can be opened', () => {
  expect(hostAndPort({ host: '0.0.0.0', port: 1 })).toBe('127.0.0.1:1');
  expect(hostAndPort(readConfig({ ODETTE_DEVICE_LISTEN: '[::]:9' }).deviceListen)).toBe('[::1]:9');
});

test('an identity provider needs a client and exactly one client secret, which is read when it is needed and never printed', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-config-'));
  const file = path.join(folder, 'secret');
  await writeFile(file, 'planted-secret\n');
  const issuer = {
    ODETTE_OIDC_ISSUER: 'https://acme.okta.com/oauth2/',
    ODETTE_OIDC_CLIENT_ID: 'client',
    ODETTE_OIDC_ADMINS: 'Mac admins, Okta admins',
  };
  const { oidc } = readConfig({ ...issuer, ODETTE_OIDC_CLIENT_SECRET_FILE: file });
  expect(oidc).toMatchObject({
    // As the provider writes it: with its slash, if it has one.
    issuer: 'https://acme.okta.com/oauth2/',
    roleClaim: 'groups',
    roles: { viewer: [], operator: [], admin: ['Mac admins', 'Okta admins'] },
  });
  expect(oidc?.clientSecret()).toBe('planted-secret');
  expect(inspect(oidc, { depth: null }) + JSON.stringify(oidc)).not.toContain('planted-secret');
  expect(readConfig({ ...issuer, ODETTE_OIDC_CLIENT_SECRET: 'planted-secret' }).oidc?.clientSecret()).toBe(
    'planted-secret',
  );
  for (const wrong of [
    issuer,
    { ...issuer, ODETTE_OIDC_CLIENT_SECRET: 'a', ODETTE_OIDC_CLIENT_SECRET_FILE: file },
    { ODETTE_OIDC_CLIENT_ID: 'client' },
    { ...issuer, ODETTE_OIDC_CLIENT_SECRET: 'a', ODETTE_OIDC_ISSUER: 'http://acme.okta.com' },
  ])
    expect(() => readConfig(wrong)).toThrow(/ODETTE_OIDC_ISSUER/);
  const gone = readConfig({ ...issuer, ODETTE_OIDC_CLIENT_SECRET_FILE: path.join(folder, 'gone') }).oidc;
  expect(() => gone?.clientSecret()).toThrow(ConfigError);
  await rm(folder, { recursive: true });
});

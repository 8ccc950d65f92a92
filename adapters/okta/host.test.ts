// What an admin types becomes a host, and private places are refused.
import { describe, expect, it } from 'vitest';
import { isPublicAddress, normalizeOktaHost } from './host.ts';

const refusalOf = (input: string, allowed: string[] = []): string => {
  try {
    return normalizeOktaHost(input, allowed);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the Okta domain', () => {
  it.each([
    ['acme.okta.com', 'acme.okta.com'],
    [' https://Acme.okta.com/ ', 'acme.okta.com'],
    ['http://acme.okta.com', 'acme.okta.com'],
    ['acme-admin.okta.com', 'acme.okta.com'],
    ['https://acme-admin.oktapreview.com/admin/dashboard', 'acme.oktapreview.com'],
    ['acme.okta.com/app/UserHome?session=1#x', 'acme.okta.com'],
    ['acme.okta.com.', 'acme.okta.com'],
    ['id.acme.example.com', 'id.acme.example.com'],
    ['sso-admin.acme.example.com', 'sso-admin.acme.example.com'],
    ['acme.okta.com:443', 'acme.okta.com'],
    ['acme.okta.com:8443', 'acme.okta.com:8443'],
  ])('%s is read as %s', (input, host) => {
    expect(normalizeOktaHost(input, [])).toBe(host);
  });

  it.each([
    '',
    'ftp://acme.okta.com',
    'https://',
    'a b.okta.com',
    'https://user:word@acme.okta.com',
    'https://[::1',
  ])('%j is no address of a tenant', (input) => {
    expect(refusalOf(input)).toBe('okta.not_okta');
  });

  it.each([
    'localhost',
    'acme',
    'okta.internal',
    'printer.local',
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '10.1.2.3',
    '169.254.169.254',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fe80::1]',
    '[64:ff9b::7f00:1]',
  ])('%s is private and refused', (input) => {
    expect(refusalOf(input)).toBe('okta.host_not_allowed');
  });

  it('a private host is taken when the allow-list names it, with its port or with any', () => {
    expect(refusalOf('https://localhost:4791/', ['localhost:4791'])).toBe('localhost:4791');
    expect(refusalOf('localhost:4792', ['localhost:4791'])).toBe('okta.host_not_allowed');
    expect(refusalOf('127.0.0.1:4792', ['127.0.0.1'])).toBe('127.0.0.1:4792');
  });
});

describe('a public address', () => {
  it.each([
    ['8.8.8.8', true],
    ['100.64.0.1', false],
    ['172.31.0.1', false],
    ['172.32.0.1', true],
    ['2606:4700::1', true],
    ['fd00::1', false],
    ['64:ff9b::808:808', true],
    ['64:ff9b::a00:1', false],
    ['2002:7f00:1::', false],
    ['not an address', false],
  ])('%s: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

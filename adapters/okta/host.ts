// Turns what an admin types as "Okta domain" into a host, and says which addresses may be called.
import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { CataloguedError } from '../../domain/failures.ts';
import { OKTA_DOMAINS } from '../../domain/okta-admin-console.ts';

const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127], // unspecified and loopback
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4 carries any IPv4 address
  ['fc00::', 7],
  ['fe80::', 9], // link-local and the old site-local
  ['ff00::', 8],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

/** True for an address of the public internet. RFC 6890; NAT64 (RFC 6052) counts as the IPv4 address inside it. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  if (family !== 6) return false;
  const embedded = nat64Address(address);
  return embedded === undefined ? !NOT_PUBLIC.check(address, 'ipv6') : isPublicAddress(embedded);
}

function nat64Address(address: string): string | undefined {
  const compact = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const groups = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})?$/.exec(compact);
  if (groups === null) return undefined;
  const [high, low] = [parseInt(groups[1] ?? '0', 16), parseInt(groups[2] ?? '0', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The look-up and the connection are one act, so that a name cannot point elsewhere between check and use (DNS rebinding). */
export const publicOnly: LookupFunction = (hostname, options, done) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '', 0);
    const refused = addresses.some(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (refused || first === undefined) {
      return done(new CataloguedError('okta.host_not_allowed', { facts: { host: hostname } }), '', 0);
    }
    return options.all === true ? done(null, addresses) : done(null, first.address, first.family);
  });
};

/** The allow-list holds `host` (any port) or `host:port`. */
export function isAllowListed(allowed: readonly string[], hostname: string, port: string): boolean {
  const host = normalizedHostname(hostname);
  return allowed.some((entry) => {
    const wanted = entry.trim().toLowerCase();
    return (
      wanted === host || wanted === `${host}:${port || '443'}` || wanted === `[${host}]:${port || '443'}`
    );
  });
}

/** A URL's hostname without IPv6 brackets and without the root's dot, in lower case. */
export const normalizedHostname = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** Names that never lead to a public address, so that they are refused before any look-up. */
const isLocalName = (host: string): boolean =>
  !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa|intranet)$/.test(host);

/**
 * `https://acme.okta.com/`, `acme-admin.okta.com`, `acme.okta.com/app/UserHome`, `id.acme.com` → the host (with its port unless 443).
 * @throws CataloguedError `okta.not_okta` (not an address at all) or `okta.host_not_allowed` (private, not in the allow-list)
 */
export function normalizeOktaHost(input: string, allowedPrivateHosts: readonly string[]): string {
  const text = input.trim();
  const hasScheme = /^https?:\/\//i.test(text);
  if (text === '' || text.length > 2048 || (!hasScheme && text.includes('://')))
    throw new CataloguedError('okta.not_okta');
  let url: URL;
  try {
    url = new URL(`https://${text.replace(/^https?:\/\//i, '')}`);
  } catch (cause) {
    throw new CataloguedError('okta.not_okta', { cause });
  }
  if (url.username !== '' || url.password !== '') throw new CataloguedError('okta.not_okta');
  const hostname = withoutAdmin(url.hostname.toLowerCase().replace(/\.$/, ''));
  const host = url.port === '' ? hostname : `${hostname}:${url.port}`;
  if (isAllowListed(allowedPrivateHosts, hostname, url.port)) return host;
  const name = normalizedHostname(hostname);
  const isRefused = isIP(name) === 0 ? isLocalName(name) : !isPublicAddress(name);
  if (isRefused) throw new CataloguedError('okta.host_not_allowed', { facts: { host } });
  return host;
}

function withoutAdmin(hostname: string): string {
  const [first = '', ...rest] = hostname.split('.');
  const isOkta = OKTA_DOMAINS.includes(rest.join('.'));
  return isOkta && first.endsWith('-admin')
    ? [first.slice(0, -'-admin'.length), ...rest].join('.')
    : hostname;
}

// Servers inside the organization that Odette calls: only those that its operator named, whatever an admin types.

/**
 * Whether the host of an address is named, as `host` (any port) or `host:port`. In the clear only on this machine: what is sent carries
 * secrets.
 */
export function isHostAllowed(allowed: readonly string[], address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, port, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  const isClear = protocol === 'http:' && LOOPBACK.test(hostname);
  if (protocol !== 'https:' && !isClear) return false;
  const named = [hostname, `${hostname}:${port || (isClear ? '80' : '443')}`];
  return allowed.some((entry) => named.includes(entry.trim().toLowerCase()));
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

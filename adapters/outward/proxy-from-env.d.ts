// What Odette uses of proxy-from-env, which brings no types.
declare module 'proxy-from-env' {
  /** '' when the address is asked for directly. */
  export function getProxyForUrl(url: string): string;
}

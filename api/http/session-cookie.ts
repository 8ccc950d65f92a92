// The session's cookie as this console may set it: kept to https where people reach the console by https, usable on plain loopback.
import type { CookieOptions } from 'express';

export interface SessionCookie {
  readonly name: string;
  readonly options: Readonly<CookieOptions>;
}

/**
 * `__Host-` and Secure only for https: Safari keeps no Secure cookie of http://127.0.0.1, so nobody could sign in there.
 * The console's address decides, not the request: behind a proxy that ends TLS every request looks like http.
 */
export function sessionCookie(consoleUrl: string): SessionCookie {
  const isHttps = consoleUrl.startsWith('https:');
  return {
    name: isHttps ? '__Host-odette_session' : 'odette_session',
    options: { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' },
  };
}

// Serves the built console: hashed files for a year, index.html for every address of it, a Content-Security-Policy without holes.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';

const DIST = fileURLToPath(new URL('../web/dist', import.meta.url));
/** Written by scripts/build-console.mjs where a tag may need it. */
const NONCE = /__ODETTE_NONCE__/g;
/** Addresses of the API never return a page. */
const NOT_PAGES = /^\/(api|mdm|enroll|scep|assets|healthz|readyz|metrics|openapi\.json|codec)(\/|$)/;

/**
 * Own scripts and styles only. The nonce lets the component library add its style tags; nothing may be framed or
 * loaded from, or sent to, another host.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const HELP_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Mount it after the API's routes, before the response for unknown addresses. */
export function serveConsole(): Router {
  const router = express.Router();
  router.use(
    '/assets',
    express.static(path.join(DIST, 'assets'), { immutable: true, maxAge: '1y', index: false }),
  );
  // Pages of docs/, made by scripts/help-pages.mjs: without a script, and for everybody, as the repository is.
  router.get(/^\/help\/(\w[\w-]*)?$/, (request, response, next) => {
    const name = request.params[0] ?? 'index';
    response.set({ 'Content-Security-Policy': HELP_POLICY, 'Cache-Control': 'no-cache' });
    response.sendFile(path.join(DIST, 'help', `${name}.html`), (error?: Error) => {
      if (error) next();
    });
  });
  router.get('/help.css', (_request, response) => {
    response.sendFile(path.join(DIST, 'help.css'), { maxAge: '1d' });
  });
  router.get('/odette.svg', (_request, response) => {
    response.sendFile(path.join(DIST, 'odette.svg'), { maxAge: '1d' });
  });
  router.get(/.*/, servePage());
  return router;
}

/** The page is read for each response: a console that was built anew is served without a restart. */
function servePage(): RequestHandler {
  return async (request, response, next) => {
    if (NOT_PAGES.test(request.path) || !request.accepts('html')) return next();
    const page = await readFile(path.join(DIST, 'index.html'), 'utf8').catch(() => undefined);
    if (page === undefined) return next();
    const nonce = randomBytes(18).toString('base64');
    response
      .set({
        'Content-Security-Policy': policy(nonce),
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'same-origin',
      })
      .type('html')
      .send(page.replace(NONCE, nonce));
  };
}

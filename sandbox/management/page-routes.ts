// The sandbox's pages for people: its front page and each tenant's console. Programs that ask for JSON get JSON at the same addresses.
import { fileURLToPath } from 'node:url';
import type { RequestHandler, Router } from 'express';
import express from 'express';

const FOLDER = fileURLToPath(new URL('./pages/', import.meta.url));

const SECURITY = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};

/** A browser names text/html; curl and fetch do not. */
const page =
  (name: string): RequestHandler =>
  (request, response, next) => {
    if (!(request.headers.accept ?? '').includes('text/html')) return next();
    response.sendFile(name, { root: FOLDER });
  };

export function pageRoutes(): Router {
  const router = express.Router();
  router.use((_request, response, next) => {
    response.set(SECURITY);
    next();
  });
  router.use('/pages', express.static(FOLDER, { index: false, cacheControl: false }));
  router.get('/', page('index.html'));
  router.get('/tenants/:name', page('tenant.html'));
  return router;
}

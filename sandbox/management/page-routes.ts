// The sandbox's pages for people: its front page, and the way to each tenant's admin console. Programs that ask for JSON get JSON at the same addresses.
import { fileURLToPath } from 'node:url';
import type { RequestHandler, Router } from 'express';
import express from 'express';

/** Scripts and styles that pages share. */
export const SHARED_FOLDER = fileURLToPath(new URL('./pages/', import.meta.url));

/** Of every page of the sandbox. */
export const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};

/** A browser names text/html; curl and fetch do not. */
const forPeople =
  (show: RequestHandler): RequestHandler =>
  (request, response, next) =>
    (request.headers.accept ?? '').includes('text/html') ? show(request, response, next) : next();

/** @param consoleOf the address of a tenant's own admin console */
export function pageRoutes(consoleOf: (tenant: string) => string | undefined): Router {
  const router = express.Router();
  router.use((_request, response, next) => {
    response.set(PAGE_HEADERS);
    next();
  });
  router.use('/pages', express.static(SHARED_FOLDER, { index: false, cacheControl: false }));
  router.get(
    '/',
    forPeople((_request, response) => response.sendFile('index.html', { root: SHARED_FOLDER })),
  );
  router.get(
    '/tenants/:name',
    forPeople((request, response, next) => {
      const address = consoleOf(String(request.params['name']));
      if (address === undefined) next();
      else response.redirect(303, address);
    }),
  );
  return router;
}

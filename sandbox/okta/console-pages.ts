// The pages of a pretend tenant's admin console, and the JSON behind them. On the tenant's own listener, where the wizard's link leads.
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import express from 'express';
import { PAGE_HEADERS, SHARED_FOLDER } from '../management/page-routes.ts';
import { tenantManagement } from './management-routes.ts';
import type { Tenant } from './tenant.ts';

const FOLDER = fileURLToPath(new URL('./console/', import.meta.url));

export const isOfConsole = (url = '/'): boolean => /^\/admin(\/|\?|$)/.test(url);

/** Pages of other origins may not click here, and no other name may lead here. */
const ownPagesOnly =
  (tenant: Tenant): RequestHandler =>
  (request, response, next) => {
    const { host, origin } = request.headers;
    if (host === tenant.host && (origin === undefined || origin === tenant.origin)) next();
    else response.status(403).json({ error: 'only for this console’s own pages' });
  };

export function createConsole(tenant: Tenant): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set(PAGE_HEADERS);
    next();
  });
  app.use('/admin/shared', express.static(SHARED_FOLDER, { index: false, cacheControl: false }));
  app.use('/admin/files', express.static(FOLDER, { index: false, cacheControl: false }));
  app.use('/admin/api', ownPagesOnly(tenant), express.json({ limit: '1mb' }), tenantManagement(tenant));
  app.get(['/admin', '/admin/'], (_request, response) => response.redirect(303, '/admin/dashboard'));
  app.get('/admin/*page', (_request, response) => response.sendFile('console.html', { root: FOLDER }));
  return app;
}

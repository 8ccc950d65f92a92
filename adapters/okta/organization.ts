// Asks a host, without credentials, whether it is an Okta tenant and of which engine.
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import type { Tenant } from '../../domain/setup-wizard.ts';
import { readJson, type GuardedHttp } from './guarded-http.ts';
import { waitOf } from './rate-limits.ts';

// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingMetadata/
const Organization = z.object({
  id: z.string().regex(/^00o/),
  pipeline: z.enum(['idx', 'v1']),
  _links: z.object({
    organization: z.object({ href: z.url() }),
    alternate: z.object({ href: z.url() }).optional(),
  }),
});

/**
 * `host` is the organization's own host, which speaks for itself: a host may call itself the custom domain of any tenant, so what
 * another one says of a tenant is asked of the tenant.
 * @param host as normalizeOktaHost gives it
 * @throws CataloguedError `okta.not_okta`, `okta.host_not_allowed`, `okta.unreachable`, `okta.rate_limited`
 */
export async function readOrganization(host: string, http: GuardedHttp): Promise<Tenant> {
  const told = await readMetadata(host, http);
  if (told.host === host) return told;
  const own = await readMetadata(told.host, http);
  if (own.host !== told.host) throw new CataloguedError('okta.not_okta', { facts: { host } });
  return own;
}

async function readMetadata(host: string, http: GuardedHttp): Promise<Tenant> {
  const response = await http.send({ url: new URL(`https://${host}/.well-known/okta-organization`) });
  if (response.status === 429)
    throw new CataloguedError('okta.rate_limited', { retryAfterMs: waitOf(response) });
  if (response.status >= 500)
    throw new CataloguedError('okta.unreachable', { facts: { host, status: response.status } });
  const read = Organization.safeParse(readJson(response));
  if (response.status !== 200 || !read.success) {
    throw new CataloguedError('okta.not_okta', { facts: { host, status: response.status } });
  }
  const { id, pipeline, _links } = read.data;
  const own = new URL(_links.organization.href).host;
  const custom = _links.alternate === undefined ? undefined : new URL(_links.alternate.href).host;
  return { orgId: id, host: own, pipeline, ...(custom === undefined ? {} : { customDomain: custom }) };
}

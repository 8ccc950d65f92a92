// GET /.well-known/okta-organization of a pretend tenant.
import type { Tenant, TenantResponse } from './tenant.ts';

export function handleOrganization(tenant: Tenant): TenantResponse {
  const { pipeline, customDomain } = tenant.state.knobs.organization;
  if (pipeline === 'not_okta') {
    return {
      status: 404,
      headers: { 'content-type': 'text/html;charset=utf-8' },
      body: '<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>',
    };
  }
  const alternate = customDomain === '' ? {} : { alternate: { href: `https://${customDomain}` } };
  return {
    status: 200,
    body: {
      id: tenant.state.orgId,
      _links: { organization: { href: tenant.origin }, ...alternate },
      pipeline,
    },
  };
}

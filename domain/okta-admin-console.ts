// Where an Okta tenant's admin console is.

/** Domains of Okta's own cells; only there does `acme-admin.` mean the admin console of `acme.`. */
export const OKTA_DOMAINS: readonly string[] = [
  'okta.com',
  'oktapreview.com',
  'okta-emea.com',
  'okta-gov.com',
  'okta.mil',
];

/**
 * The console's first page. Okta publishes no addresses of the pages behind it, so links lead here and the text says where to click.
 * @param host the tenant's own, with its port unless 443: a custom domain has no admin console. Outside of Okta's domains it is served
 * by the host itself
 */
export function adminConsoleOf(host: string): string {
  const [first = '', ...rest] = host.split('.');
  const at = OKTA_DOMAINS.includes(rest.join('.')) ? [`${first}-admin`, ...rest].join('.') : host;
  return `https://${at}/admin/dashboard`;
}

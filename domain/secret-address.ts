// The address a secret was entered for. A secret is opened for that address only: one that changed asks for the secret again.

/** Host (with its port) and path: what a query or a fragment says does not lead elsewhere. Of what is no URL, the text itself. */
export function addressOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { host, pathname } = new URL(url);
  return host + pathname;
}

/** The challenge password goes to the challenge URL, and what it fetches goes to the SCEP URL: it belongs to both. */
export const macPlatformAddress = (urls: {
  readonly challengeUrl: string;
  readonly scepUrl: string;
}): string => `${addressOf(urls.challengeUrl)} ${addressOf(urls.scepUrl)}`;

/** Okta serves SCEP and challenges at the tenant's own host, and at its custom domain. */
export const isOnTenant = (
  url: string,
  { host, customDomain }: { readonly host: string; readonly customDomain?: string },
): boolean => URL.canParse(url) && [host, customDomain].includes(new URL(url).host);

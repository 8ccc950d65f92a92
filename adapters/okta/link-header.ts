// Finds the next page in Okta's Link headers (RFC 8288).

/**
 * The `after` cursor of `rel="next"`. The link itself is not followed: behind a custom domain Okta may name another host of the same
 * tenant, and a token goes only where it was meant to go.
 * @param resource the list's own path; a link elsewhere counts as none
 */
export function nextPage(header: string | string[] | undefined, resource: string): string | undefined {
  const links = (Array.isArray(header) ? header : [header ?? '']).flatMap((line) => [
    ...line.matchAll(/<([^>]*)>((?:\s*;\s*[^;,=]+=(?:"[^"]*"|[^;,"]*))*)/g),
  ]);
  const found = links.find(([, , parameters = '']) => /;\s*rel\s*=\s*"?next"?\s*(;|$)/i.test(parameters));
  if (found?.[1] === undefined || !URL.canParse(found[1], 'https://okta.invalid')) return undefined;
  const url = new URL(found[1], 'https://okta.invalid');
  return url.pathname === resource ? (url.searchParams.get('after') ?? undefined) : undefined;
}

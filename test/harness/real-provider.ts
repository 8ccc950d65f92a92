// A real OpenID provider (npm's oidc-provider) on TLS on loopback, with people in groups, and a browser of nothing but fetch that
// signs one of them in there.
import { Agent, request } from 'node:https';
import { Provider, type Configuration } from 'oidc-provider';
import { openTlsService } from './pretend-okta.ts';

export const CLIENT = { id: 'odette', secret: 'a-client-secret-only-the-provider-knows' };

export interface RealProvider {
  readonly issuer: string;
  /** host:port, for the allow-list. */
  readonly host: string;
  readonly authorityPem: string;
  /** Login → groups; a test changes them as it likes. Somebody removed is gone. */
  readonly people: Map<string, string[]>;
  /** Follows the provider's pages from Odette's first redirect to the address that leads back to Odette. */
  signIn(authorizationUrl: string, login: string): Promise<URL>;
  /** Nothing answers there any more, until `resume`. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** @param callbackUrl of Odette */
export async function openRealProvider(
  callbackUrl: string,
  options: { readonly people?: Readonly<Record<string, string[]>>; readonly more?: Configuration } = {},
): Promise<RealProvider> {
  const service = await openTlsService();
  const issuer = `https://${service.host}`;
  const people = new Map(Object.entries(options.people ?? {}));
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [callbackUrl],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'], groups: ['groups'] },
    findAccount: (_context, id) =>
      people.has(id)
        ? {
            accountId: id,
            claims: () => ({ sub: id, preferred_username: `${id}@example.com`, groups: people.get(id) }),
          }
        : undefined,
    // Whoever is asked for consent has given it: the pages are not what is tested.
    loadExistingGrant: async (context) => {
      const { provider: own, client, session } = context.oidc;
      const grant = new own.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    cookies: { keys: ['only for tests'] },
    ...options.more,
  });
  const serve = () => service.serve(provider.callback());
  serve();
  return {
    issuer,
    host: service.host,
    authorityPem: service.authorityPem,
    people,
    signIn: (authorizationUrl, login) => walk(new URL(authorizationUrl), login),
    pause: () => service.serve((incoming) => void incoming.socket.destroy()),
    resume: serve,
    close: () => service.close(),
  };
}

interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly setCookie: readonly string[];
}

/** The pages of the provider itself: a form for the login, which takes any password. */
async function walk(start: URL, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = start;
  for (let hops = 0; hops < 12; hops += 1) {
    const isForm = at.pathname.startsWith('/interaction/');
    const page = await visit(at, cookies, isForm ? `prompt=login&login=${login}&password=any` : undefined);
    for (const line of page.setCookie) {
      const [pair = ''] = line.split(';');
      const [name = '', ...value] = pair.split('=');
      cookies.set(name, value.join('='));
    }
    if (page.location === undefined) throw new Error(`${at.href} returned ${page.status}, not a redirect`);
    const next = new URL(page.location, at);
    if (next.origin !== start.origin) return next;
    at = next;
  }
  throw new Error('the provider redirects for ever');
}

const agent = new Agent();

function visit(at: URL, cookies: ReadonlyMap<string, string>, form: string | undefined): Promise<Page> {
  return new Promise((resolve, reject) => {
    const outgoing = request(at, {
      agent,
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      incoming.resume();
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          location: incoming.headers.location,
          setCookie: incoming.headers['set-cookie'] ?? [],
        }),
      );
    });
    outgoing.end(form);
  });
}

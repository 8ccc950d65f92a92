// A pretend Okta tenant as one HTTPS listener: organization, token, API, challenge page, SCEP authority, FastPass sign-in.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { StateFile } from '../state-file.ts';
import type { ServicePart, World } from '../world.ts';
import { readAccessToken, type AccessToken } from './access-tokens.ts';
import { isAllowedByRoles } from './admin-roles.ts';
import { newAuthority } from './authority.ts';
import { handleAuthenticators } from './authenticators-route.ts';
import { handleChallenge } from './challenge-route.ts';
import { createConsole, isOfConsole } from './console-pages.ts';
import { DpopProofs } from './dpop.ts';
import { handleDevices, deviceScope } from './devices-route.ts';
import { FastPassRoute } from './fastpass-route.ts';
import { tenantManagement } from './management-routes.ts';
import { handleOrganization } from './organization-route.ts';
import { RateLimits } from './rate-limits.ts';
import { refuse, refuseProof } from './refusals.ts';
import { handleLog } from './system-log.ts';
import { handleScepRequest } from './scep-route.ts';
import { Tenant, type TenantResponse, type TenantRequest } from './tenant.ts';
import { newTenantState, type MacPlatform, type TenantState } from './tenant-state.ts';
import { TokenRoute } from './token-route.ts';

export interface OktaTenant extends ServicePart {
  /** For admin.ts: the same operations as on the management port. */
  readonly tenant: Tenant;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** @param options.host host and port as clients reach the listener, e.g. `localhost:4791` */
export async function createOktaTenant(options: {
  readonly world: Pick<World, 'dataDir' | 'clock'>;
  readonly host: string;
}): Promise<OktaTenant> {
  const { world, host } = options;
  const file = new StateFile<TenantState>(`${world.dataDir}/tenant.json`);
  const state = (await file.read()) ?? newTenantState(await newAuthority(world.clock.now()));
  const tenant = new Tenant({ host, state, clock: world.clock, file });
  await tenant.save();
  return {
    tenant,
    listener: listen(tenant),
    nameOf: ({ url = '/' }) => nameOf(new URL(url, tenant.origin)),
    knobs: tenantManagement(tenant),
    counts: () => ({ ...tenant.state.counts }),
    close: () => tenant.save(),
  };
}

function nameOf(url: URL): string {
  const { pathname } = url;
  if (isOfConsole(pathname)) return 'console';
  if (pathname === '/.well-known/okta-organization') return 'organization';
  if (pathname === '/oauth2/v1/token') return 'token';
  if (pathname.startsWith('/api/v1/')) return pathname.split('/')[3] ?? 'api';
  if (pathname.startsWith('/scep/v1/challenge/')) return 'challenge';
  if (pathname.startsWith('/scep/v1/')) return `scep.${url.searchParams.get('operation') ?? 'none'}`;
  return pathname === '/sandbox/fastpass' ? 'fastpass' : 'unknown';
}

function listen(tenant: Tenant): RequestListener {
  const limits = new RateLimits(tenant);
  const route = routing(tenant, limits);
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await read(tenant, incoming);
    const ended = tenant.requests.begin(nameOf(request.url), request);
    const ordered = await misbehave(tenant, limits, request);
    if (ordered === 'reset') {
      ended(0);
      incoming.socket.destroy();
      return;
    }
    const responded = ordered ?? (await route(request));
    ended(responded.status);
    send(tenant, response, responded);
  };
  const adminConsole = createConsole(tenant);
  return (incoming, response) => {
    if (isOfConsole(incoming.url)) return adminConsole(incoming, response);
    serve(incoming, response).catch(() => {
      if (response.headersSent) response.destroy();
      else send(tenant, response, { status: 500, body: '' });
    });
  };
}

async function read(tenant: Tenant, incoming: IncomingMessage): Promise<TenantRequest> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', tenant.origin),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

/** The knobs for delay and outage, which hold for every path. */
async function misbehave(
  tenant: Tenant,
  limits: RateLimits,
  { url }: TenantRequest,
): Promise<TenantResponse | 'reset' | undefined> {
  const { delayMs, outage } = tenant.state.knobs;
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (outage === null || !(outage.paths ?? ['/']).some((path) => url.pathname.startsWith(path)))
    return undefined;
  if (!isHit(tenant, outage.share)) return undefined;
  if (outage.times !== undefined) {
    tenant.state.knobs.outage = outage.times <= 1 ? null : { ...outage, times: outage.times - 1 };
  }
  tenant.count(`outage.${outage.kind}`);
  switch (outage.kind) {
    case 'connection_reset':
      return 'reset';
    case 'rate_limit':
      return limits.tooManyAMinute(outage.resetSeconds);
    case 'concurrency_limit':
      return limits.tooManyAtOnce();
    case 'access_denied':
      return refuse('E0000006');
    case 'captive_portal':
      return {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<html><body>Log in</body></html>',
      };
    case 'status_503':
      return {
        status: 503,
        headers: { 'content-type': 'text/html' },
        body: '<html><body>Service Unavailable</body></html>',
      };
  }
}

/** Evenly: of a share of one half every second request. */
function isHit(tenant: Tenant, share = 1): boolean {
  tenant.count('outage.asked');
  const asked = tenant.state.counts['outage.asked'] ?? 0;
  return Math.floor(asked * share) > Math.floor((asked - 1) * share);
}

type Route = (request: TenantRequest) => Promise<TenantResponse>;

function routing(tenant: Tenant, limits: RateLimits): Route {
  const proofs = new DpopProofs();
  const tokens = new TokenRoute(tenant, proofs);
  const fastPass = new FastPassRoute(tenant);
  const limited = async (request: TenantRequest, handle: Route): Promise<TenantResponse> => {
    const { headers, refusal } = limits.spend(request.url.pathname);
    const responded = refusal ?? (await handle(request));
    return { ...responded, headers: { ...headers, ...responded.headers } };
  };
  return async (request) => {
    const { pathname } = request.url;
    if (pathname === '/.well-known/okta-organization')
      return limited(request, async () => handleOrganization(tenant));
    if (pathname === '/oauth2/v1/token') return limited(request, (asked) => tokens.handle(asked));
    if (pathname.startsWith('/api/v1/')) return limited(request, (asked) => handleApi(tenant, asked, proofs));
    if (pathname.startsWith('/scep/v1/')) return handlePlatform(tenant, request);
    if (pathname === '/sandbox/fastpass') return fastPass.handle(request);
    return {
      status: 404,
      headers: { 'content-type': 'text/html' },
      body: '<html><body>Not Found</body></html>',
    };
  };
}

async function handleApi(
  tenant: Tenant,
  request: TenantRequest,
  proofs: DpopProofs,
): Promise<TenantResponse> {
  const { method, url } = request;
  tenant.count('api');
  const token = await provenToken(tenant, request, proofs);
  if ('status' in token) return token;
  if (tenant.state.knobs.organization.pipeline === 'v1') return refuse('E0000015');
  const isDevices = url.pathname.startsWith('/api/v1/devices');
  const isAuthenticators = url.pathname.startsWith('/api/v1/authenticators');
  const isLog = url.pathname === '/api/v1/logs';
  if (!isDevices && !isAuthenticators && !isLog) return refuse('E0000007');
  const scope = isDevices ? deviceScope(method) : isLog ? 'okta.logs.read' : 'okta.authenticators.read';
  if (!token.scopes.some((held) => held === scope || held === scope.replace(/\.read$/, '.manage'))) {
    return refuse('E0000006', {
      'www-authenticate': `Bearer authorization_uri="${tenant.origin}/oauth2/v1/authorize", realm="${tenant.origin}", scope="${scope}", error="insufficient_scope", error_description="The access token provided does not contain the required scopes."`,
    });
  }
  if (!isAllowedByRoles(tenant, token.client, scope))
    return url.pathname === '/api/v1/devices' && tenant.state.knobs.devices.withoutRole === 'empty'
      ? { status: 200, body: [] }
      : refuse('E0000006');
  if (isDevices) return handleDevices(tenant, method, url);
  if (isLog) return method === 'GET' ? handleLog(tenant, url) : refuse('E0000022');
  return method === 'GET'
    ? handleAuthenticators(tenant, url.pathname.slice('/api/v1/authenticators'.length))
    : refuse('E0000022');
}

/** The token of a request, or the refusal of one that has none, whose token is unknown, or whose DPoP proof does not hold. */
async function provenToken(
  tenant: Tenant,
  { method, url, headers }: TenantRequest,
  proofs: DpopProofs,
): Promise<AccessToken | TenantResponse> {
  const [, scheme, value] = /^(Bearer|DPoP) (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (value === undefined) return refuse('E0000005');
  const token = readAccessToken(tenant, value);
  if (token === undefined) return refuse('E0000011');
  if (token.boundTo !== undefined || scheme === 'DPoP') {
    if (scheme !== 'DPoP') return refuseProof('invalid_dpop_proof');
    const wanted = { method, url: `${tenant.origin}${url.pathname}`, token: value };
    const proven = await proofs.check(headers['dpop'], wanted);
    if ('fault' in proven) return refuseProof('invalid_dpop_proof');
    if (proven.thumbprint !== token.boundTo) return refuseProof('invalid_token');
  }
  return token;
}

async function handlePlatform(tenant: Tenant, request: TenantRequest): Promise<TenantResponse> {
  const [, isChallenge, id] = /^\/scep\/v1\/(challenge\/)?([^/]+)$/.exec(request.url.pathname) ?? [];
  const platform = tenant.state.platforms.find(
    (known): known is MacPlatform => known.id === id && known.platform === 'macOS',
  );
  if (platform === undefined) return { status: 404, headers: { 'content-type': 'text/html' }, body: '' };
  return isChallenge === undefined
    ? handleScepRequest(tenant, platform, request)
    : handleChallenge(tenant, platform, request.headers.authorization);
}

function send(tenant: Tenant, response: ServerResponse, { status, headers, body }: TenantResponse): void {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  response.writeHead(status, {
    ...(isRaw ? {} : { 'content-type': 'application/json' }),
    // Rate limits are told in terms of this date; it is the sandbox's.
    date: new Date(tenant.ownTime()).toUTCString(),
    'x-okta-request-id': crypto.randomUUID(),
    ...headers,
  });
  response.end(isRaw ? body : JSON.stringify(body));
}

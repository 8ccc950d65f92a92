// The Temporal UI for people who are signed in to the console: passed on to Temporal's own UI server, behind the console's session, at
// an address of its own. It tells the page where to decode; Temporal's server itself knows neither that address nor a session.
import { request as httpRequest, Agent, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import express, { type Express, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import type { Sql } from '../adapters/store/base/database.ts';
import { codecServer, type PayloadReader } from './codec-server.ts';
import { assertAllowed, findCaller } from './http/caller.ts';
import { ProblemError, problems } from './http/problem.ts';
import type { SessionCookie } from './http/session-cookie.ts';
import { temporalUiLinks } from './temporal-ui-links.ts';

export interface TemporalUiOptions {
  readonly sql: Sql;
  readonly log: Logger;
  readonly cookie: SessionCookie;
  readonly read: PayloadReader;
  /** Where people reach it, and the console, where they sign in. */
  readonly url: string;
  readonly consoleUrl: string;
  /** The list that `/odette/workflows` opens. */
  readonly namespace: string;
  /** Temporal's own UI server. */
  readonly upstream: string;
}

const CODEC = '/odette/codec';
const SAFE_METHODS = new Set(['GET', 'HEAD']);
/** Of one connection, and no business of the other side's; who is signed in is none of Temporal's. */
const NOT_PASSED_ON = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'authorization',
];

export function createTemporalUi(options: TemporalUiOptions): Express {
  const { sql, log, cookie, read, consoleUrl } = options;
  const own = new URL(options.url);
  const agent = new Agent({ keepAlive: true });
  const app = express();
  app.disable('x-powered-by').set('etag', false);
  app.use(async (request, response, next) => {
    assertOwn(request, own);
    const caller = await findCaller(sql, request, cookie);
    if (caller === undefined && request.method === 'GET' && isPage(request))
      return response.redirect(303, consoleUrl);
    assertAllowed(caller, SAFE_METHODS.has(request.method) ? 'viewer' : 'operator');
    // Nobody may frame it: a click there could end workflows.
    response.set({ 'Cache-Control': 'no-store', 'X-Frame-Options': 'DENY' });
    next();
  });
  app.use(CODEC, codecServer(read));
  app.use(temporalUiLinks(options));
  app.get('/api/v1/settings', async (_request, response) => {
    response.json(await settingsWithCodec(options.upstream, `${own.origin}${CODEC}`));
  });
  app.use((request, response) => passOn(request, response, { ...options, agent }));
  app.use(problems(log));
  return app;
}

/** Somebody opens it; what the page itself asks for wants JSON. */
const isPage = ({ headers }: Request): boolean => headers.accept?.includes('text/html') === true;

/**
 * By its own address, and nothing from another site's page: a page of a name that was made to lead here (DNS rebinding) sends its own
 * Host, and a page elsewhere its own Origin.
 * @throws ProblemError `request.not_allowed`
 */
function assertOwn({ headers, method }: Request, own: URL): void {
  if (headers.host !== own.host)
    throw new ProblemError('request.not_allowed', { detail: `This is ${own.host}.` });
  const isOwn = headers.origin === undefined ? SAFE_METHODS.has(method) : headers.origin === own.origin;
  if (!isOwn)
    throw new ProblemError('request.not_allowed', { detail: 'The request comes from a different site.' });
}

interface TemporalSettings {
  readonly Codec?: object;
}

async function settingsWithCodec(upstream: string, endpoint: string): Promise<TemporalSettings> {
  const response = await fetch(new URL('/api/v1/settings', upstream)).catch(() => undefined);
  if (!response?.ok) throw away();
  const settings = (await response.json()) as TemporalSettings;
  // The page's own origin, so the session's cookie goes along by itself.
  const codec = { Endpoint: endpoint, PassAccessToken: false, IncludeCredentials: false };
  return { ...settings, Codec: { ...settings.Codec, ...codec } };
}

function passOn(
  request: Request,
  response: Response,
  { upstream, agent, cookie }: Pick<TemporalUiOptions, 'upstream' | 'cookie'> & { readonly agent: Agent },
): Promise<void> {
  const { protocol, hostname, port, host } = new URL(upstream);
  const headers = {
    ...passable(request.headers),
    host,
    cookie: withoutSession(request.headers.cookie, cookie),
  };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { protocol, hostname, port, agent, method: request.method, path: request.url, headers },
      (answer) => {
        response.status(answer.statusCode ?? 502);
        for (const [name, value] of Object.entries(passable(answer.headers)))
          if (value !== undefined && !response.hasHeader(name)) response.setHeader(name, value);
        pipeline(answer, response, () => resolve());
      },
    );
    sent.once('error', () => (response.headersSent ? response.destroy() : reject(away())));
    pipeline(request, sent, () => undefined);
  });
}

const passable = (headers: IncomingMessage['headers']): IncomingMessage['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name)));

const withoutSession = (cookies: string | undefined, { name }: SessionCookie): string =>
  (cookies ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => !pair.startsWith(`${name}=`))
    .join('; ');

const away = (): ProblemError =>
  new ProblemError('server.unavailable', { detail: "Temporal's UI server does not respond." });

// Every setting of Odette's processes, read once from the environment. What is wrong is reported together, by the setting's name.
// Long, because it is one table of settings and what each must be.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { RoleRules } from '../domain/sign-in-roles.ts';

const listen = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
      const port = Number(match?.[2]);
      if (match && port <= 65_535) return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
      context.addIssue({ code: 'custom', message: 'is not HOST:PORT' });
      return z.NEVER;
    });

const url = (...schemes: readonly string[]) =>
  z
    .string()
    .transform((text) => text.replace(/\/+$/, ''))
    .refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
      message: `is not a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    });

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

/** `10.0.0.0/` would be everybody, if the missing length were read as 0. */
const isNetwork = (text: string): boolean => {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(length ?? 0) <= (family === 4 ? 32 : 128);
};

const whole = (fallback: number, most: number) =>
  z
    .string()
    .default(String(fallback))
    .refine((text) => /^\d+$/.test(text) && Number(text) <= most, {
      message: `is not a whole number up to ${most}`,
    })
    .transform(Number);

const schema = z
  .object({
    /** Everything that is kept outside the database. */
    ODETTE_DATA_DIR: z
      .string()
      .default(() => defaultDataDir('odette'))
      .transform((text) => path.resolve(text)),
    /** The key ring; DATA/odette.key when not given. */
    ODETTE_KEY_FILE: z.string().optional(),
    DATABASE_URL: url('postgresql:', 'postgres:').optional(),
    ODETTE_ADMIN_LISTEN: listen('127.0.0.1:4780'),
    ODETTE_DEVICE_LISTEN: listen('127.0.0.1:4781'),
    /** Of the device listener, as devices reach it; cannot change after the first enrollment. */
    ODETTE_PUBLIC_URL: url('https:').optional(),
    /** Names the old one where it changes all the same, so that nobody changes it by mistake. */
    ODETTE_PUBLIC_URL_WAS: url('https:').optional(),
    /** Of the admin listener, as people reach it. */
    ODETTE_CONSOLE_URL: url('https:', 'http:').optional(),
    ODETTE_TLS_CERT_FILE: z.string().optional(),
    ODETTE_TLS_KEY_FILE: z.string().optional(),
    /** Networks (CIDR) of proxies that end TLS and whose `X-Forwarded-For` is believed. */
    ODETTE_TRUSTED_PROXY: list.refine((networks) => networks.every(isNetwork), {
      message: 'is not a list of addresses or networks, as 10.1.2.3 or 10.0.0.0/8',
    }),
    /** `on`: their `Client-Cert` (RFC 9440) says who a device is, where a message carries no signature. */
    ODETTE_TRUST_CLIENT_CERT: z.enum(['on', 'off']).default('off'),
    ODETTE_APNS_URL: url('https:').default('https://api.push.apple.com'),
    ODETTE_APPS_AND_BOOKS_URL: url('https:').default('https://vpp.itunes.apple.com/mdm/v2'),
    /** Signs push certificate requests for organizations without an MDM vendor certificate. */
    ODETTE_SIGNING_SERVICE_URL: url('https:').default('https://mdmcert.download/api/v1/signrequest'),
    /** host or host:port that outward requests may reach although it is private. */
    ODETTE_ALLOWED_PRIVATE_HOSTS: list,
    /** Longer than a step takes, so that its next command needs no push; the end of what is waited for ends the wait. */
    ODETTE_LONG_POLL_MS: whole(10_000, 20_000),
    ODETTE_MAX_LONG_POLLS: whole(200, 100_000),
    /** Temporal's own UI server, as the API reaches it: people open it through the listener below. Absent: not at all. */
    ODETTE_TEMPORAL_UI_UPSTREAM: url('http:', 'https:').optional(),
    ODETTE_TEMPORAL_UI_LISTEN: listen('127.0.0.1:4783'),
    /** Of that listener, as people reach it. */
    ODETTE_TEMPORAL_UI_URL: url('http:', 'https:').optional(),
    /** OpenID provider that people may sign in through, as its own description names it. */
    ODETTE_OIDC_ISSUER: z
      .string()
      .refine((text) => URL.canParse(text) && new URL(text).protocol === 'https:', {
        message: 'is not a URL that begins with https://',
      })
      .optional(),
    ODETTE_OIDC_CLIENT_ID: z.string().optional(),
    /** The client secret itself, or better the file that holds it. */
    ODETTE_OIDC_CLIENT_SECRET: z.string().optional(),
    ODETTE_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
    ODETTE_OIDC_SCOPES: z.string().default('openid profile email groups'),
    /** The claim whose values give roles. */
    ODETTE_OIDC_ROLE_CLAIM: z.string().default('groups'),
    /** Values of that claim, separated by commas; none by default: then nobody gets in that way. */
    ODETTE_OIDC_VIEWERS: list,
    ODETTE_OIDC_OPERATORS: list,
    ODETTE_OIDC_ADMINS: list,
    /** Where the redacted exchanges of a field test are recorded; absent: nothing is. */
    ODETTE_FIELD_TEST_DIR: z.string().optional(),
    /** `several`: workers of an older version stay until the rollouts that they began have ended. */
    ODETTE_WORKER_VERSIONS: z.enum(['one', 'several']).default('one'),
    ODETTE_WORKER_LISTEN: listen('127.0.0.1:4784'),
    ODETTE_RELAY_LISTEN: listen('127.0.0.1:4785'),
    ODETTE_DEVICE_METRICS_LISTEN: listen('127.0.0.1:4786'),
    ODETTE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .refine((read) => (read.ODETTE_TLS_CERT_FILE === undefined) === (read.ODETTE_TLS_KEY_FILE === undefined), {
    path: ['ODETTE_TLS_CERT_FILE'],
    message: 'and ODETTE_TLS_KEY_FILE must be set together or not at all',
  })
  .refine((read) => read.ODETTE_TRUST_CLIENT_CERT === 'off' || read.ODETTE_TRUSTED_PROXY.length > 0, {
    path: ['ODETTE_TRUST_CLIENT_CERT'],
    message: 'requires ODETTE_TRUSTED_PROXY',
  })
  .refine(
    ({ ODETTE_OIDC_ISSUER: issuer, ODETTE_OIDC_CLIENT_ID: id, ...read }) => {
      const secrets = [read.ODETTE_OIDC_CLIENT_SECRET, read.ODETTE_OIDC_CLIENT_SECRET_FILE].filter(Boolean);
      return issuer === undefined
        ? id === undefined && secrets.length === 0
        : id !== undefined && secrets.length === 1;
    },
    {
      path: ['ODETTE_OIDC_ISSUER'],
      message:
        'requires ODETTE_OIDC_CLIENT_ID and either ODETTE_OIDC_CLIENT_SECRET_FILE or ODETTE_OIDC_CLIENT_SECRET',
    },
  );

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  /** Reads it; a function, so that whoever prints the settings does not print it. @throws ConfigError */
  readonly clientSecret: () => string;
  readonly scopes: string;
  readonly roleClaim: string;
  readonly roles: RoleRules;
}

export interface TemporalUiConfig {
  /** Temporal's own UI server. */
  readonly upstream: string;
  readonly listen: Listen;
  /** Where people reach the listener: on the console's host, for they bring its session. */
  readonly url: string;
}

export interface Config {
  readonly dataDir: string;
  readonly keyFile: string;
  /** Absent: only the launcher may go on, which brings a database along. */
  readonly databaseUrl: string | undefined;
  readonly adminListen: Listen;
  readonly deviceListen: Listen;
  readonly publicUrl: string | undefined;
  readonly publicUrlWas: string | undefined;
  readonly consoleUrl: string;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly trustedProxies: readonly string[];
  readonly trustsClientCert: boolean;
  readonly apnsUrl: string;
  readonly appsAndBooksUrl: string;
  readonly signingServiceUrl: string;
  readonly allowedPrivateHosts: readonly string[];
  readonly workerVersions: 'one' | 'several';
  readonly longPollMs: number;
  readonly maxLongPolls: number;
  /** Absent: nobody opens the Temporal UI through Odette. */
  readonly temporalUi: TemporalUiConfig | undefined;
  /** Absent: nothing is recorded. */
  readonly fieldTestDir: string | undefined;
  readonly oidc: OidcConfig | undefined;
  readonly workerListen: Listen;
  readonly relayListen: Listen;
  /** Health and metrics of the device process; devices themselves get to see neither. */
  readonly deviceMetricsListen: Listen;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** What people must correct in the environment: one line a setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Read by `odette` where it calls the API; they may be set in the same shell. */
const OF_THE_COMMAND_LINE = ['ODETTE_URL', 'ODETTE_TOKEN', 'ODETTE_TOKEN_FILE'];

/** An empty variable counts as not given. @throws ConfigError all problems together; values are not repeated, they may be secret */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`);
  const unknown = Object.keys(given).filter(
    (name) => name.startsWith('ODETTE_') && !(name in schema.shape) && !OF_THE_COMMAND_LINE.includes(name),
  );
  problems.push(...unknown.map((name) => `${name} is not a setting of Odette.`));
  if (!parsed.success || problems.length > 0)
    throw new ConfigError(['Odette cannot use these settings:', ...problems].join('\n  '));
  const read = parsed.data;
  return Object.freeze({
    dataDir: read.ODETTE_DATA_DIR,
    keyFile: path.resolve(read.ODETTE_KEY_FILE ?? path.join(read.ODETTE_DATA_DIR, 'odette.key')),
    databaseUrl: read.DATABASE_URL,
    adminListen: read.ODETTE_ADMIN_LISTEN,
    deviceListen: read.ODETTE_DEVICE_LISTEN,
    publicUrl: read.ODETTE_PUBLIC_URL,
    publicUrlWas: read.ODETTE_PUBLIC_URL_WAS,
    consoleUrl: consoleUrlOf(read),
    tls:
      read.ODETTE_TLS_CERT_FILE !== undefined && read.ODETTE_TLS_KEY_FILE !== undefined
        ? { certificateFile: read.ODETTE_TLS_CERT_FILE, keyFile: read.ODETTE_TLS_KEY_FILE }
        : undefined,
    trustedProxies: read.ODETTE_TRUSTED_PROXY,
    trustsClientCert: read.ODETTE_TRUST_CLIENT_CERT === 'on',
    apnsUrl: read.ODETTE_APNS_URL,
    appsAndBooksUrl: read.ODETTE_APPS_AND_BOOKS_URL,
    signingServiceUrl: read.ODETTE_SIGNING_SERVICE_URL,
    allowedPrivateHosts: read.ODETTE_ALLOWED_PRIVATE_HOSTS,
    workerVersions: read.ODETTE_WORKER_VERSIONS,
    longPollMs: read.ODETTE_LONG_POLL_MS,
    maxLongPolls: read.ODETTE_MAX_LONG_POLLS,
    temporalUi: temporalUiOf(read),
    fieldTestDir: read.ODETTE_FIELD_TEST_DIR,
    oidc: oidcOf(read),
    workerListen: read.ODETTE_WORKER_LISTEN,
    relayListen: read.ODETTE_RELAY_LISTEN,
    deviceMetricsListen: read.ODETTE_DEVICE_METRICS_LISTEN,
    logLevel: read.ODETTE_LOG_LEVEL,
  });
}

const consoleUrlOf = (read: z.output<typeof schema>): string =>
  read.ODETTE_CONSOLE_URL ?? `http://${hostAndPort(read.ODETTE_ADMIN_LISTEN)}`;

/** @throws ConfigError when the console's session would not reach it: cookies know hosts and https, and no ports */
function temporalUiOf(read: z.output<typeof schema>): TemporalUiConfig | undefined {
  const { ODETTE_TEMPORAL_UI_UPSTREAM: upstream, ODETTE_TEMPORAL_UI_LISTEN: address } = read;
  if (upstream === undefined) return undefined;
  const consoleAt = new URL(consoleUrlOf(read));
  const url = read.ODETTE_TEMPORAL_UI_URL ?? `${consoleAt.protocol}//${consoleAt.hostname}:${address.port}`;
  const { protocol, hostname } = new URL(url);
  if (protocol !== consoleAt.protocol || hostname !== consoleAt.hostname)
    throw new ConfigError(
      `Odette cannot use these settings:\n  ODETTE_TEMPORAL_UI_URL is not on the console's host (${consoleAt.protocol}//${consoleAt.hostname}), whose session it needs.`,
    );
  return { upstream, listen: address, url };
}

function oidcOf(read: z.output<typeof schema>): OidcConfig | undefined {
  const { ODETTE_OIDC_ISSUER: issuer, ODETTE_OIDC_CLIENT_ID: clientId } = read;
  const { ODETTE_OIDC_CLIENT_SECRET: secret, ODETTE_OIDC_CLIENT_SECRET_FILE: file } = read;
  if (issuer === undefined || clientId === undefined) return undefined;
  return {
    issuer,
    clientId,
    clientSecret: () => (file === undefined ? (secret ?? '') : secretIn(file)),
    scopes: read.ODETTE_OIDC_SCOPES,
    roleClaim: read.ODETTE_OIDC_ROLE_CLAIM,
    roles: {
      viewer: read.ODETTE_OIDC_VIEWERS,
      operator: read.ODETTE_OIDC_OPERATORS,
      admin: read.ODETTE_OIDC_ADMINS,
    },
  };
}

function secretIn(file: string): string {
  let secret = '';
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch {
    // Said below: the system's message adds nothing that helps.
  }
  if (secret === '')
    throw new ConfigError(`ODETTE_OIDC_CLIENT_SECRET_FILE cannot be read or is empty: ${file}`);
  return secret;
}

/** As root the system's state folder, where other users may pass through; else the XDG state folder. */
export function defaultDataDir(name: string): string {
  if (process.getuid?.() === 0) return path.join('/var/lib', name);
  return path.join(process.env['XDG_STATE_HOME'] ?? path.join(os.homedir(), '.local', 'state'), name);
}

/** IPv6 in brackets; an address that means "all" becomes one that can be opened. */
export function hostAndPort({ host, port }: Listen): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

// The API of a pretend Fleet server (4.61, free edition), as its sources say: roles, statuses, bodies of errors.
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { z } from 'zod';
import { parsePlistDict } from '../../adapters/mdm/plist.ts';
import type { FleetCommandState, FleetHostState } from './fleet-state.ts';
import type { FleetWorld } from './fleet-world.ts';

const VERSION = '4.61.0';
/** Only these may run commands. */
const WRITERS = ['admin', 'maintainer', 'gitops'];
/** Everybody but who only writes. */
const READERS = ['admin', 'maintainer', 'observer', 'observer_plus'];
const PREMIUM_COMMANDS = ['EraseDevice', 'DeviceLock'];

const RunShape = z.object({ command: z.string(), host_uuids: z.array(z.string()) });

/** As Fleet writes every error; `name` is the field, or `base`. */
function refuse(response: Response, status: number, message: string, reason: string, name = 'base'): void {
  response.status(status).json({ message, errors: [{ name, reason }] });
}
const invalid = (response: Response, status: number, name: string, reason: string): void =>
  refuse(response, status, 'Validation Failed', reason, name);
const missing = (response: Response, what: string): void =>
  refuse(response, 404, 'Resource Not Found', `${what} was not found in the datastore`);

export function apiRoutes(world: FleetWorld): Router {
  const routes = express.Router();
  routes.use(gate(world), express.json({ limit: '1mb' }));
  routes.get('/me', (_request, response) => {
    response.json({ user: { id: 1, name: 'Odette', api_only: true, global_role: roleOf(response) } });
  });
  routes.get('/version', (_request, response) => {
    response.json({ version: VERSION, branch: 'main', revision: '', go_version: 'go1.23.4' });
  });
  routes.get('/config', only(READERS), (_request, response) => void response.json(configOf(world)));
  routes.post('/commands/run', only(WRITERS), (request, response) => run(world, request, response));
  routes.get('/commands/results', only(READERS), (request, response) => results(world, request, response));
  routes.get('/hosts', only(READERS), (request, response) => listHosts(world, request, response));
  routes.get('/hosts/identifier/:identifier', only(READERS), (request, response) => {
    const identifier = String(request.params['identifier']);
    const host = world.state.hosts.find(({ udid, serial, name }) =>
      [udid, serial, name].includes(identifier),
    );
    if (host === undefined) return missing(response, `Host ${identifier}`);
    response.json({ host: { ...shownHost(host, true), ...detailsOf(host) } });
  });
  routes.get('/configuration_profiles', only(READERS), (request, response) => {
    const team = request.query['team_id'] === undefined ? null : Number(request.query['team_id']);
    if (team !== null && world.state.knobs.tier === 'free') return needsPremium(response);
    const profiles = world.state.profiles.filter(({ teamId }) => teamId === team).map(shownProfile);
    response.json({ meta: { has_next_results: false, has_previous_results: false }, profiles });
  });
  routes.get('/configuration_profiles/:uuid', only(READERS), (request, response) => {
    const profile = world.state.profiles.find(({ uuid }) => uuid === request.params.uuid);
    if (profile === undefined) return missing(response, 'MDMAppleConfigProfile');
    if (request.query['alt'] !== 'media') return void response.json(shownProfile(profile));
    response.type('application/octet-stream').send(Buffer.from(profile.content, 'base64'));
  });
  routes.use((_request, response) => refuse(response, 404, 'Resource Not Found', 'page not found'));
  return routes;
}

const needsPremium = (response: Response): void =>
  refuse(response, 402, 'Requires Fleet Premium license', 'Requires Fleet Premium license');

const roleOf = (response: Response): string => String(response.locals['role']);

/** Token, and what the server was ordered to do wrong. */
function gate(world: FleetWorld): RequestHandler {
  return (request, response, next) => {
    const { knobs, tokens } = world.state;
    world.count('requests');
    if (knobs.unavailable > 0) {
      knobs.unavailable -= 1;
      return void response.status(503).type('html').send('<html>Service Unavailable</html>');
    }
    if (knobs.rateLimited > 0) {
      knobs.rateLimited -= 1;
      response.set('Retry-After', String(knobs.retryAfterSeconds));
      return refuse(response, 429, 'limit exceeded', 'limit exceeded');
    }
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const known = tokens.find(({ token }) => token === bearer);
    if (known === undefined)
      return refuse(response, 401, 'Authentication required', 'Authentication required');
    response.locals['role'] = known.role;
    next();
  };
}

const only =
  (roles: readonly string[]): RequestHandler =>
  (_request, response, next) => {
    if (roles.includes(roleOf(response))) next();
    else refuse(response, 403, 'Permission Denied', 'forbidden');
  };

const configOf = ({ state: { knobs } }: FleetWorld) => ({
  org_info: { org_name: 'Sandbox' },
  license: { tier: knobs.tier, expiration: '0001-01-01T00:00:00Z' },
  mdm: { enabled_and_configured: knobs.isAppleMdmOn, apple_bm_enabled_and_configured: false },
  ...(knobs.oktaConditionalAccess && {
    conditional_access: {
      okta_idp_id: '0oaSandbox',
      okta_assertion_consumer_service_url: 'https://acme.okta.com/sso/saml2/0oaSandbox',
      okta_audience_uri: 'https://www.okta.com/saml2/service-provider/sandbox',
      okta_certificate: '-----BEGIN CERTIFICATE-----',
    },
  }),
});

async function run(world: FleetWorld, request: Request, response: Response): Promise<void> {
  const { state } = world;
  const read = RunShape.safeParse(request.body);
  if (!read.success) return refuse(response, 400, 'Bad request', 'json decoder error');
  const { command, host_uuids: uuids } = read.data;
  const hosts = state.hosts.filter(({ udid }) => uuids.includes(udid));
  if (hosts.length === 0)
    return invalid(response, 404, 'host_uuids', 'No hosts targeted. Make sure you provide a valid UUID.');
  if (hosts.some(({ enrollmentStatus }) => enrollmentStatus === 'Off'))
    return invalid(
      response,
      412,
      'host_uuids',
      "Can't run the MDM command because one or more hosts have MDM turned off.",
    );
  if (new Set(hosts.map(({ platform }) => platform)).size > 1)
    return invalid(response, 422, 'host_uuids', 'All hosts must be on the same platform.');
  if (!state.knobs.isAppleMdmOn) return invalid(response, 400, 'host_uuids', 'macOS MDM isn’t turned on.');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(command))
    return invalid(response, 400, 'command', 'unable to decode base64 command');
  const raw = Buffer.from(command, 'base64');
  const named = commandIn(raw);
  if (named === undefined) return invalid(response, 415, 'command', 'unable to decode plist command');
  if (PREMIUM_COMMANDS.includes(named.requestType) && state.knobs.tier === 'free')
    return needsPremium(response);
  if (state.commands.some(({ uuid }) => uuid === named.uuid))
    return refuse(response, 409, 'Validation Failed', 'Fleet encountered an error.');
  if (state.knobs.losesCommands > 0) state.knobs.losesCommands -= 1;
  else for (const { udid } of hosts) state.commands.push(newCommand(named, raw, udid));
  world.count(`command.${named.requestType}`);
  await world.save();
  const woken = await Promise.all(hosts.map((host) => world.wake(host)));
  if (state.knobs.losesResponses > 0) {
    state.knobs.losesResponses -= 1;
    return void request.socket.destroy();
  }
  if (!woken.includes(true))
    return refuse(response, 502, 'Bad Gateway', 'Apple push notificiation service: delivery failed');
  response.json({ command_uuid: named.uuid, request_type: named.requestType, platform: 'darwin' });
}

const newCommand = (
  { uuid, requestType }: { uuid: string; requestType: string },
  raw: Buffer,
  udid: string,
): FleetCommandState => ({
  ...{ uuid, requestType, udid },
  raw: raw.toString('base64'),
  isActive: true,
  status: '',
  result: '',
  answeredAt: 0,
});

function commandIn(raw: Buffer): { uuid: string; requestType: string } | undefined {
  try {
    const dict = parsePlistDict(raw);
    const { CommandUUID: uuid, Command: command } = dict;
    const requestType = typeof command === 'object' && 'RequestType' in command ? command['RequestType'] : '';
    return typeof uuid === 'string' && uuid !== '' && typeof requestType === 'string' && requestType !== ''
      ? { uuid, requestType }
      : undefined;
  } catch {
    return undefined;
  }
}

function results(world: FleetWorld, request: Request, response: Response): void {
  const uuid = String(request.query['command_uuid'] ?? '');
  const asked = world.state.commands.filter((command) => command.uuid === uuid);
  if (asked.length === 0) return missing(response, `MDMCommand ${uuid}`);
  const { lateSeconds } = world.state.knobs;
  const answered = asked.filter(
    ({ status, answeredAt }) => status !== '' && Date.now() >= answeredAt + lateSeconds * 1_000,
  );
  // A host that was deleted is not shown, and neither is what it answered.
  const shown = answered.filter(({ udid }) => world.host(udid) !== undefined);
  if (shown.length === 0) return void response.json({});
  response.json({
    results: shown.map(({ udid, status, answeredAt, requestType, raw, result }) => ({
      host_uuid: udid,
      command_uuid: uuid,
      status,
      // MySQL keeps seconds.
      updated_at: new Date(Math.floor(answeredAt / 1_000) * 1_000).toISOString().replace('.000Z', 'Z'),
      request_type: requestType,
      hostname: world.host(udid)?.name ?? '',
      payload: raw,
      result,
    })),
  });
}

function listHosts(world: FleetWorld, request: Request, response: Response): void {
  const number = (name: string, byDefault: number): number => Number(request.query[name] ?? byDefault);
  const size = number('per_page', 100);
  const from = number('page', 0) * size;
  const labels = request.query['populate_labels'] === 'true';
  const hosts = world.state.hosts.toSorted((one, other) => one.id - other.id).slice(from, from + size);
  response.json({ hosts: hosts.map((host) => shownHost(host, labels)) });
}

const shownHost = (host: FleetHostState, hasLabels: boolean) => ({
  id: host.id,
  uuid: host.udid,
  hostname: host.name,
  computer_name: host.name,
  display_name: host.name || `${host.model} (${host.serial})`,
  platform: host.platform,
  os_version: host.osVersion,
  hardware_model: host.model,
  hardware_serial: host.serial,
  team_id: null,
  ...(hasLabels && { labels: host.labels.map((name, nth) => ({ id: nth + 1, name })) }),
  mdm: {
    enrollment_status: host.enrollmentStatus,
    dep_profile_error: false,
    server_url: host.enrollmentStatus === 'Off' ? null : 'https://fleet.example.com/mdm/apple/mdm',
    name: host.enrollmentStatus === 'Off' ? '' : 'Fleet',
    encryption_key_available: false,
    connected_to_fleet: host.enrollmentStatus !== 'Off',
  },
});

/** Lists say nothing of them. */
const detailsOf = ({ enrolledAt, checkedInAt }: FleetHostState) => ({
  last_mdm_enrolled_at: enrolledAt,
  last_mdm_checked_in_at: checkedInAt,
});

const shownProfile = ({ uuid, name, teamId, content }: FleetWorld['state']['profiles'][number]) => ({
  profile_uuid: uuid,
  team_id: teamId,
  name,
  platform: 'darwin',
  identifier: `sandbox.${uuid}`,
  checksum: Buffer.from(content).toString('base64').slice(0, 24),
});

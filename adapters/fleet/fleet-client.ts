// Fleet's API, of the free edition: runs a command on one host, fetches what the device answered, and lists hosts and profiles.
import type { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import type { Enqueued } from '../../domain/device-channel.ts';
import { jsonOf } from '../../domain/json.ts';
import {
  CommandResults,
  Config,
  FleetError,
  Hosts,
  Me,
  OneHost,
  Profiles,
  Version,
} from './fleet-answers.ts';
import { fleetHostOf, type FleetHost } from './fleet-host.ts';
import { FleetHttp, type FleetResponse } from './fleet-http.ts';

export type { FleetHost };

/** What became of a command. */
export type FleetCommandResult =
  /** Fleet has no command of this UUID. */
  | { readonly kind: 'unknown' }
  /** The device has not responded. */
  | { readonly kind: 'waits' }
  | {
      readonly kind: 'responded';
      /** The device's message, as it was sent. */
      readonly body: Buffer;
      /** By Fleet's clock, milliseconds since the epoch. */
      readonly atMs: number;
      /** How long ago that was, milliseconds. */
      readonly ageMs: number;
    };

export interface FleetFacts {
  readonly version: string;
  /** `free`, `premium` or `trial`. */
  readonly tier: string;
  /** Of the token's user, for all hosts; null: of single teams only. */
  readonly role: string | null;
  readonly isAppleMdmOn: boolean;
  /** Fleet's own device trust for Okta. */
  readonly hasOktaConditionalAccess: boolean;
}

export interface FleetProfile {
  readonly uuid: string;
  readonly name: string;
  /** Another one is another content. */
  readonly revision: string;
}

/** Hosts in one answer. */
const PAGE_SIZE = 100;
/** Profiles of a team: more are not looked into. */
const MAX_PROFILES = 1_000;
/** Statuses with which Fleet says that it did not take a command: no such host, MDM turned off, malformed, too long, needs Premium. */
const NOT_TAKEN = [400, 402, 404, 412, 413, 415, 422];

export class FleetClient {
  readonly #http: FleetHttp;

  /** @param options.url base of Fleet, without /api · @param options.allowedHosts host[:port] that may be called */
  constructor(options: ConstructorParameters<typeof FleetHttp>[0]) {
    this.#http = new FleetHttp(options);
  }

  /**
   * Runs a command on one host, and has Apple wake it. A UUID that Fleet has had is `known`.
   * @throws CataloguedError `channel.unreachable`, `channel.unexpected_response`: nobody knows whether Fleet has it
   * @throws CataloguedError `channel.host_not_allowed`, `channel.key_refused`, `channel.role_refused`, `channel.rate_limited`: it does not
   */
  async run(udid: string, plist: Uint8Array): Promise<Enqueued> {
    const command = Buffer.from(plist).toString('base64');
    const response = await this.#http.send('POST', 'commands/run', { command, host_uuids: [udid] });
    const { status } = response;
    if (status === 200) return { kind: 'queued' };
    if (status === 409) return { kind: 'known' };
    // Fleet queues first, and says so when Apple's push service does not take the push. A proxy's 502 is not Fleet's.
    if (status === 502 && FleetError.safeParse(read(response)).success) return { kind: 'queued' };
    if (NOT_TAKEN.includes(status)) return { kind: 'refused', failureCode: 'channel.command_refused' };
    throw failureOf(response);
  }

  /** @throws CataloguedError `channel.*` */
  async commandResult(commandUuid: string, udid: string): Promise<FleetCommandResult> {
    const query = new URLSearchParams({ command_uuid: commandUuid });
    const response = await this.#http.send('GET', `commands/results?${query.toString()}`);
    if (response.status === 404) return { kind: 'unknown' };
    const { results } = expected(CommandResults, response);
    const mine = results?.find(({ host_uuid: of }) => of.toLowerCase() === udid.toLowerCase());
    if (mine?.result == null || mine.result === '' || mine.status === 'Pending') return { kind: 'waits' };
    const atMs = Date.parse(mine.updated_at);
    return {
      kind: 'responded',
      body: Buffer.from(mine.result, 'base64'),
      atMs: Number.isNaN(atMs) ? response.atMs : atMs,
      ageMs: Number.isNaN(atMs) ? 0 : Math.max(0, response.atMs - atMs),
    };
  }

  /** By UDID, serial number or host name. undefined: there is none, or it is no Apple device. @throws CataloguedError `channel.*` */
  async host(identifier: string): Promise<(FleetHost & { readonly atMs: number }) | undefined> {
    const path = `hosts/identifier/${encodeURIComponent(identifier)}?exclude_software=true`;
    const response = await this.#http.send('GET', path);
    if (response.status === 404) return undefined;
    const found = fleetHostOf(expected(OneHost, response).host);
    return found && { ...found, atMs: response.atMs };
  }

  /** Page by page, from 0; Apple devices only. @throws CataloguedError `channel.*` */
  async hosts(page: number): Promise<{ readonly hosts: readonly FleetHost[]; readonly isLast: boolean }> {
    const query = new URLSearchParams({
      page: String(page),
      per_page: String(PAGE_SIZE),
      order_key: 'id',
      populate_labels: 'true',
    });
    const { hosts } = expected(Hosts, await this.#http.send('GET', `hosts?${query.toString()}`));
    const found = hosts ?? [];
    return {
      hosts: found.flatMap((answer) => fleetHostOf(answer) ?? []),
      isLast: found.length < PAGE_SIZE,
    };
  }

  /** Which server this is, and what the token's user may. @throws CataloguedError `channel.*` */
  async facts(): Promise<FleetFacts> {
    const [me, config, version] = await Promise.all([
      this.#get(Me, 'me'),
      this.#get(Config, 'config'),
      this.#get(Version, 'version'),
    ]);
    const { okta_idp_id: idp, okta_audience_uri: audience } = config.conditional_access ?? {};
    return {
      version: version.version,
      tier: config.license?.tier ?? 'free',
      role: me.user.global_role ?? null,
      isAppleMdmOn: config.mdm?.enabled_and_configured === true,
      hasOktaConditionalAccess: [idp, audience].some((set) => set != null && set !== ''),
    };
  }

  /** Of Macs, iPhones and iPads. @param teamId null: of hosts in no team @throws CataloguedError `channel.*` */
  async profiles(teamId: number | null): Promise<FleetProfile[]> {
    const listed: FleetProfile[] = [];
    for (let page = 0; listed.length < MAX_PROFILES; page += 1) {
      const query = new URLSearchParams({ page: String(page), per_page: String(PAGE_SIZE) });
      if (teamId !== null) query.set('team_id', String(teamId));
      const { profiles, meta } = await this.#get(Profiles, `configuration_profiles?${query.toString()}`);
      for (const { profile_uuid: uuid, name, platform, checksum, updated_at: updatedAt } of profiles ?? [])
        if (platform === 'darwin') listed.push({ uuid, name, revision: checksum ?? updatedAt ?? '' });
      if (meta?.has_next_results !== true || (profiles ?? []).length === 0) break;
    }
    return listed;
  }

  /** The file. @throws CataloguedError `channel.*` */
  async profile(uuid: string): Promise<Buffer> {
    const path = `configuration_profiles/${encodeURIComponent(uuid)}?alt=media`;
    const response = await this.#http.send('GET', path);
    if (response.status !== 200) throw failureOf(response);
    return response.body;
  }

  async #get<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>> {
    return expected(schema, await this.#http.send('GET', path));
  }
}

const read = ({ body }: FleetResponse): unknown => jsonOf(body.toString('utf8'));

function expected<Schema extends z.ZodType>(schema: Schema, response: FleetResponse): z.output<Schema> {
  if (response.status !== 200) throw failureOf(response);
  const answer = schema.safeParse(read(response));
  if (answer.success) return answer.data;
  throw new CataloguedError('channel.unexpected_response', { facts: { status: 200 } });
}

function failureOf({ status, retryAfterMs }: FleetResponse): CataloguedError {
  const facts = { status };
  const options = { facts, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (status === 401) return new CataloguedError('channel.key_refused', options);
  if (status === 402 || status === 403) return new CataloguedError('channel.role_refused', options);
  if (status === 429) return new CataloguedError('channel.rate_limited', options);
  return new CataloguedError('channel.unexpected_response', options);
}

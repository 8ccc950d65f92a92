// One Okta tenant through its API: token, authenticators, devices. Reads only; Odette never changes a device in Okta.
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import { AccessTokenSource, type OktaCredentials } from './access-token.ts';
import { managementError } from './errors.ts';
import {
  AuthenticatorResponse,
  judgeFastPass,
  MethodResponse,
  oktaVerifyOf,
  type Authenticator,
  type AuthenticatorMethod,
  type FastPassCheck,
} from './fastpass.ts';
import { guardedHttp, readJson, type GuardedHttp, type HttpResponse } from './guarded-http.ts';
import { nextPage } from './link-header.ts';
import {
  DeviceResponse,
  DeviceUserResponse,
  readDevice,
  readUser,
  type OktaDevice,
  type OktaDeviceUser,
} from './okta-device.ts';
import { RateBudget } from './rate-budget.ts';

export interface OktaClientOptions {
  /** As normalizeOktaHost gives it. */
  readonly host: string;
  readonly credentials: OktaCredentials;
  /** Shared by all clients of one integration. */
  readonly budget?: RateBudget;
  readonly allowedPrivateHosts?: readonly string[];
}

export interface DevicePage {
  readonly devices: readonly OktaDevice[];
  /** Where the list goes on, to be handed back as it is. An empty page with a `next` is not the end. */
  readonly next?: string;
}

export interface ConfirmedDevices {
  readonly present: readonly OktaDevice[];
  readonly gone: readonly string[];
}

/** Which devices to look for; the parts are joined by "and". */
export interface DeviceFilter {
  readonly platform?: 'MACOS' | 'IOS';
  readonly serialNumber?: string;
  readonly model?: string;
  /** Changed later than this. Okta changes it with each sign-in on the device, and with its lifecycle. */
  readonly updatedAfter?: Date;
}

const PAGE_SIZE = 200;
/** No honest tenant has more pages than this: a circle of `next` links ends here. */
const MAX_PAGES = 10_000;

export class OktaClient {
  readonly host: string;
  readonly #http: GuardedHttp;
  readonly #budget: RateBudget;
  readonly #tokens: AccessTokenSource;

  constructor({ host, credentials, budget = new RateBudget(), allowedPrivateHosts = [] }: OktaClientOptions) {
    this.host = host;
    this.#http = guardedHttp(allowedPrivateHosts);
    this.#budget = budget;
    this.#tokens = new AccessTokenSource({ host, credentials, http: this.#http, budget });
  }

  /** Proves the credentials. @throws CataloguedError `okta.*` as Okta's refusal means (errors.ts) */
  async token(): Promise<{ scopes: readonly string[] }> {
    const { scopes } = await this.#tokens.get();
    return { scopes };
  }

  async listAuthenticators(): Promise<readonly Authenticator[]> {
    return read(z.array(AuthenticatorResponse), await this.#get('/api/v1/authenticators'));
  }

  async listMethods(authenticatorId: string): Promise<readonly AuthenticatorMethod[]> {
    const path = `/api/v1/authenticators/${encodeURIComponent(authenticatorId)}/methods`;
    return read(z.array(MethodResponse), await this.#get(path));
  }

  /** Okta Verify active, and its FastPass method (`signed_nonce`) active. */
  async checkFastPass(): Promise<FastPassCheck> {
    const all = await this.listAuthenticators();
    const methods = new Map<string, readonly AuthenticatorMethod[]>();
    for (const { id } of oktaVerifyOf(all)) methods.set(id, await this.listMethods(id));
    return judgeFastPass(all, methods);
  }

  /** One page of all devices with their users. @param next from the page before */
  async listDevices(next?: string): Promise<DevicePage> {
    return this.#devicePage(next ?? `/api/v1/devices?limit=${PAGE_SIZE}&expand=user`);
  }

  /** Search is eventually consistent: what it finds is a hint, to be confirmed by id. */
  async findDevices(filter: DeviceFilter): Promise<readonly OktaDevice[]> {
    const { platform, serialNumber, model, updatedAfter } = filter;
    const terms = [
      ...(platform === undefined ? [] : [`profile.platform eq "${platform}"`]),
      ...(serialNumber === undefined ? [] : [`profile.serialNumber eq ${JSON.stringify(serialNumber)}`]),
      ...(model === undefined ? [] : [`profile.model eq ${JSON.stringify(model)}`]),
      ...(updatedAfter === undefined ? [] : [`lastUpdated gt "${updatedAfter.toISOString()}"`]),
    ];
    const query = new URLSearchParams({
      limit: String(PAGE_SIZE),
      expand: 'user',
      search: terms.join(' and '),
    });
    const found: OktaDevice[] = [];
    let path: string | undefined = `/api/v1/devices?${query.toString()}`;
    for (let page = 0; path !== undefined && page < MAX_PAGES; page += 1) {
      const { devices, next }: DevicePage = await this.#devicePage(path);
      found.push(...devices);
      path = next;
    }
    return found;
  }

  /** What Okta's own records say now, whatever search shows. `gone`: deleted in Okta. */
  async confirm(ids: readonly string[]): Promise<ConfirmedDevices> {
    const present: OktaDevice[] = [];
    const gone: string[] = [];
    for (const id of ids) {
      try {
        const device = await this.device(id);
        if (device === undefined) gone.push(id);
        else present.push(device);
      } catch (error) {
        // There is one, and nobody can read it.
        if (!(error instanceof CataloguedError && error.code === 'okta.unexpected_response')) throw error;
      }
    }
    return { present, gone };
  }

  /** One device with its users, read by id; undefined when it was deleted in Okta. */
  async device(id: string): Promise<OktaDevice | undefined> {
    const path = `/api/v1/devices/${encodeURIComponent(id)}`;
    try {
      const device = readDevice(read(DeviceResponse, await this.#get(path)));
      return { ...device, users: await this.#users(path) };
    } catch (error) {
      const isGone =
        error instanceof CataloguedError &&
        (error.code === 'okta.not_found' || error.code === 'okta.device_gone');
      if (isGone) return undefined;
      throw error;
    }
  }

  async #users(devicePath: string): Promise<readonly OktaDeviceUser[]> {
    return read(z.array(DeviceUserResponse), await this.#get(`${devicePath}/users`)).map(readUser);
  }

  async #devicePage(path: string): Promise<DevicePage> {
    const response = await this.#get(path);
    // One odd record must not hide the others of its tenant.
    const devices = read(z.array(z.unknown()), response).flatMap((each) => {
      const record = DeviceResponse.safeParse(each);
      return record.success ? [readDevice(record.data)] : [];
    });
    const next = nextPage(response.headers.link, '/api/v1/devices');
    return { devices, ...(next === undefined ? {} : { next }) };
  }

  /** @param path with query, below the tenant's host */
  async #get(path: string): Promise<HttpResponse> {
    const bucket = path.split(/[/?]/).slice(1, 4).join('/');
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#tokens.get();
      this.#budget.admit(bucket);
      const response = await this.#http.send({
        url: new URL(`https://${this.host}${path}`),
        headers: { authorization: `Bearer ${token.value}` },
      });
      this.#budget.note(bucket, response);
      if (response.status === 200) return response;
      const error = managementError(response);
      if (error.code !== 'okta.token_invalid') throw error;
      // Revoked, or expired by Okta's clock: a new one is fetched once.
      this.#tokens.drop(token);
      if (attempt === 2) throw error;
    }
  }
}

function read<Shape>(schema: z.ZodType<Shape>, response: HttpResponse): Shape {
  const result = schema.safeParse(readJson(response));
  if (result.success) return result.data;
  throw new CataloguedError('okta.unexpected_response', { facts: { status: response.status } });
}

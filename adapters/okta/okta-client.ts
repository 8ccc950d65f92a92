// One Okta tenant through its API: token, authenticators, devices. Reads only; Odette never changes a device in Okta.
import {
  AuthenticatorApiRequestFactory,
  AuthenticatorApiResponseProcessor,
} from '@okta/okta-sdk-nodejs/src/generated/apis/AuthenticatorApi.js';
import {
  DeviceApiRequestFactory,
  DeviceApiResponseProcessor,
} from '@okta/okta-sdk-nodejs/src/generated/apis/DeviceApi.js';
import {
  SystemLogApiRequestFactory,
  SystemLogApiResponseProcessor,
} from '@okta/okta-sdk-nodejs/src/generated/apis/SystemLogApi.js';
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import type { Lane } from '../../domain/okta-budget.ts';
import { AccessTokenSource, type OktaCredentials, type TokenStore } from './access-token.ts';
import { OktaBudget, processEndpoints } from './budget.ts';
import { clockSecondsOf } from './clock.ts';
import {
  AuthenticatorResponse,
  judgeFastPass,
  MethodResponse,
  oktaVerifyOf,
  type Authenticator,
  type AuthenticatorMethod,
  type FastPassCheck,
} from './fastpass.ts';
import { guardedHttp } from './guarded-http.ts';
import { nextPage } from './link-header.ts';
import { LogEventResponse, readBinding, type CertificateBinding } from './log-event.ts';
import { DeviceResponse, DeviceUserResponse, readDevice, readUser, type OktaDevice } from './okta-device.ts';
import { SdkTransport } from './sdk-transport.ts';

export interface OktaClientOptions {
  /** As normalizeOktaHost gives it. */
  readonly host: string;
  readonly credentials: OktaCredentials;
  /** Shared by all processes that speak to one tenant; absent for a tenant that is not connected yet. */
  readonly budget?: OktaBudget;
  readonly tokens?: TokenStore;
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

/** The most that Okta gives. */
const PAGE_SIZE = 200;
/** The most that Okta gives; its limit for the log is 120 requests a minute for the whole tenant. */
const LOG_PAGE_SIZE = 1000;
const MAX_LOG_PAGES = 20;
/** No honest tenant has more pages than this: a circle of `next` links ends here. */
const MAX_PAGES = 10_000;

export class OktaClient {
  readonly host: string;
  readonly #tokens: AccessTokenSource;
  readonly #transport: SdkTransport;
  readonly #authenticators: AuthenticatorApiRequestFactory;
  readonly #devices: DeviceApiRequestFactory;
  readonly #log: SystemLogApiRequestFactory;
  /** Devices a page; fewer from the moment on when a page was too long. */
  #pageSize = PAGE_SIZE;

  constructor({ host, credentials, allowedPrivateHosts = [], ...shared }: OktaClientOptions) {
    this.host = host;
    const http = guardedHttp(allowedPrivateHosts);
    const budget = shared.budget ?? new OktaBudget(processEndpoints(), '');
    this.#tokens = new AccessTokenSource({ host, credentials, http, budget, store: shared.tokens });
    this.#transport = new SdkTransport({ host, http, tokens: this.#tokens, budget });
    this.#authenticators = new AuthenticatorApiRequestFactory(this.#transport.configuration);
    this.#devices = new DeviceApiRequestFactory(this.#transport.configuration);
    this.#log = new SystemLogApiRequestFactory(this.#transport.configuration);
  }

  /** Proves the credentials. @throws CataloguedError `okta.*` as Okta's refusal means (errors.ts) */
  async token(): Promise<{ scopes: readonly string[] }> {
    const { scopes } = await this.#tokens.get();
    return { scopes };
  }

  async listAuthenticators(): Promise<readonly Authenticator[]> {
    const { answer } = await this.#transport.call(
      this.#authenticators.listAuthenticators(),
      (response) => readAuthenticators.listAuthenticators(response),
      'enrollment',
    );
    return checked(z.array(AuthenticatorResponse), answer);
  }

  async listMethods(authenticatorId: string): Promise<readonly AuthenticatorMethod[]> {
    const { answer } = await this.#transport.call(
      this.#authenticators.listAuthenticatorMethods(authenticatorId),
      (response) => readAuthenticators.listAuthenticatorMethods(response),
      'enrollment',
    );
    return checked(z.array(MethodResponse), answer);
  }

  /** Okta Verify active, and its FastPass method (`signed_nonce`) active. */
  async checkFastPass(): Promise<FastPassCheck> {
    const all = await this.listAuthenticators();
    const methods = new Map<string, readonly AuthenticatorMethod[]>();
    for (const { id } of oktaVerifyOf(all)) methods.set(id, await this.listMethods(id));
    return judgeFastPass(all, methods);
  }

  /** One device, of whatever kind: the scope, and the role of an app of the tenant's own, let Odette read devices. */
  async checkDevices(): Promise<{ readonly clockSeconds: number | undefined }> {
    const { date } = await this.#transport.call(
      this.#devices.listDevices(undefined, 1),
      (response) => readDevices.listDevices(response),
      'enrollment',
    );
    return { clockSeconds: clockSecondsOf({ headers: { date } }) };
  }

  /** One page of devices with their users. @param next from the page before @param updatedAfter only those that changed later, by Okta's search */
  async listDevices(next?: string, updatedAfter?: Date): Promise<DevicePage> {
    const search = updatedAfter && changedAfter(updatedAfter);
    return this.#devicePage({ after: next, ...(search !== undefined && { search }) }, 'routine');
  }

  /** Search is eventually consistent: what it finds is a hint, to be confirmed by id. */
  async findDevices(filter: DeviceFilter): Promise<readonly OktaDevice[]> {
    const { platform, serialNumber, model, updatedAfter } = filter;
    const terms = [
      ...(platform === undefined ? [] : [`profile.platform eq "${platform}"`]),
      ...(serialNumber === undefined ? [] : [`profile.serialNumber eq ${JSON.stringify(serialNumber)}`]),
      ...(model === undefined ? [] : [`profile.model eq ${JSON.stringify(model)}`]),
      ...(updatedAfter === undefined ? [] : [changedAfter(updatedAfter)]),
    ];
    const search = terms.join(' and ');
    const found: OktaDevice[] = [];
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { devices, next }: DevicePage = await this.#devicePage({ search, after }, 'enrollment');
      found.push(...devices);
      if (next === undefined) break;
      after = next;
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
    try {
      const record = await this.#transport.call(
        this.#devices.getDevice(id),
        (response) => readDevices.getDevice(response),
        'enrollment',
      );
      const users = await this.#transport.call(
        this.#devices.listDeviceUsers(id),
        (response) => readDevices.listDeviceUsers(response),
        'enrollment',
      );
      return {
        ...readDevice(checked(DeviceResponse, record.answer)),
        users: checked(z.array(DeviceUserResponse), users.answer).map(readUser),
      };
    } catch (error) {
      const isGone =
        error instanceof CataloguedError &&
        (error.code === 'okta.not_found' || error.code === 'okta.device_gone');
      if (isGone) return undefined;
      throw error;
    }
  }

  /**
   * The System Log's `pki.cert.bind` of a span of time, the oldest first. A span of more than `MAX_LOG_PAGES` pages is cut short: `until` says
   * where it was read to. Needs `okta.logs.read`.
   */
  async listBindings(span: { readonly since: Date; readonly until: Date }): Promise<{
    readonly bindings: readonly CertificateBinding[];
    readonly until: Date;
  }> {
    const bindings: CertificateBinding[] = [];
    let after: string | undefined;
    for (let page = 1; ; page += 1) {
      const request = this.#log.listLogEvents(
        span.since.toISOString(),
        span.until.toISOString(),
        after,
        'eventType eq "pki.cert.bind"',
        undefined,
        LOG_PAGE_SIZE,
        'ASCENDING',
      );
      const { answer, link } = await this.#transport.call(
        request,
        (response) => readLog.listLogEvents(response),
        'routine',
      );
      const events = checked(z.array(z.unknown()), answer).flatMap((each) => {
        const event = LogEventResponse.safeParse(each);
        return event.success ? [event.data] : [];
      });
      bindings.push(...events.flatMap((event) => readBinding(event) ?? []));
      after = nextPage(link, '/api/v1/logs');
      const last = events.at(-1);
      if (after === undefined || last === undefined) return { bindings, until: span.until };
      if (page === MAX_LOG_PAGES) return { bindings, until: last.published };
    }
  }

  async #devicePage(
    asked: { readonly after: string | undefined; readonly search?: string },
    lane: Lane,
  ): Promise<DevicePage> {
    const { answer, link } = await this.#fittingPage((limit) =>
      this.#transport.call(
        this.#devices.listDevices(asked.after, limit, asked.search, 'userSummary'),
        (response) => readDevices.listDevices(response),
        lane,
      ),
    );
    // One odd record must not hide the others of its tenant.
    const devices = checked(z.array(z.unknown()), answer).flatMap((each) => {
      const record = DeviceResponse.safeParse(each);
      return record.success ? [readDevice(record.data)] : [];
    });
    const next = nextPage(link, '/api/v1/devices');
    return { devices, ...(next === undefined ? {} : { next }) };
  }

  /** Shared Macs have many users: a page that is too long is asked for again with a quarter of the devices. */
  async #fittingPage<Page>(page: (limit: number) => Promise<Page>): Promise<Page> {
    for (;;) {
      const limit = this.#pageSize;
      try {
        return await page(limit);
      } catch (error) {
        const isTooLong = error instanceof CataloguedError && error.facts['reason'] === 'too long';
        if (!isTooLong || limit === 1) throw error;
        this.#pageSize = Math.min(this.#pageSize, Math.ceil(limit / 4));
      }
    }
  }
}

const changedAfter = (time: Date): string => `lastUpdated gt "${time.toISOString()}"`;

const readAuthenticators = new AuthenticatorApiResponseProcessor();
const readDevices = new DeviceApiResponseProcessor();
const readLog = new SystemLogApiResponseProcessor();

/** The SDK's models say what Okta documents, not what it sent: what Odette decides by is checked. */
function checked<Shape>(schema: z.ZodType<Shape>, answer: unknown): Shape {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new CataloguedError('okta.unexpected_response', { facts: { status: 200 } });
}

// Apple's Apps and Books API (location tokens, version 2): which licenses there are, giving one to a device, and taking it back.
// https://developer.apple.com/documentation/devicemanagement/app-and-book-management
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import { outwardFetch } from '../outward/proxy.ts';
import { responseError, eventFailure } from './errors.ts';
import { jsonOf } from '../../domain/json.ts';

export interface Asset {
  readonly adamId: string;
  readonly pricingParam: string; // STDQ or PLUS
  readonly available: number;
  readonly total: number;
  readonly isDeviceAssignable: boolean;
  /** e.g. iOS, macOS; empty when Apple does not say. */
  readonly platforms: readonly string[];
}

/** One license of one device. */
export interface Assignment {
  readonly adamId: string;
  readonly serialNumber: string;
  readonly pricingParam: string;
}

export type EventStatus =
  | { readonly state: 'pending' }
  | { readonly state: 'complete' }
  | { readonly state: 'failed'; readonly error: CataloguedError };

const AssetResponse = z.object({
  adamId: z.union([z.string(), z.number()]).transform(String),
  pricingParam: z.string().default('STDQ'),
  availableCount: z.number().default(0),
  totalCount: z.number().default(0),
  deviceAssignable: z.boolean().default(false),
  supportedPlatforms: z.array(z.string()).nullish(),
});
const AssetsResponse = z.object({
  assets: z.array(AssetResponse).default([]),
  nextPageIndex: z.number().nullish(),
});
const AssignmentsResponse = z.object({
  assignments: z
    .array(
      z.object({
        adamId: z.union([z.string(), z.number()]).transform(String),
        serialNumber: z.string().nullish(),
        pricingParam: z.string().default('STDQ'),
      }),
    )
    .default([]),
  nextPageIndex: z.number().nullish(),
});
const EventResponse = z.object({ eventId: z.string().min(1) });
const StatusResponse = z.object({
  eventStatus: z.string(),
  failures: z.array(z.object({ errorNumber: z.number() })).nullish(),
});
const ConfigResponse = z.object({
  locationName: z.string().default(''),
  mdmInfo: z.object({ id: z.string().default(''), name: z.string().default('') }).nullish(),
});

const TIMEOUT_MS = 10_000;
const MAX_PAGES = 1_000;

export class AppsAndBooksClient {
  readonly #base: string;
  readonly #token: string;

  /** @param options.url base, e.g. https://vpp.itunes.apple.com/mdm/v2 · @param options.token as readToken gives it */
  constructor(options: { readonly url: string; readonly token: string }) {
    this.#base = options.url.replace(/\/+$/, '');
    this.#token = options.token;
  }

  /** Proves the token, and says whose location it is and which MDM server last claimed it. */
  async location(): Promise<{ name: string; mdmId?: string; mdmName?: string }> {
    const { locationName, mdmInfo } = await this.#call('client/config', ConfigResponse);
    const claimed = mdmInfo === null || mdmInfo === undefined || mdmInfo.id === '' ? undefined : mdmInfo;
    return {
      name: locationName,
      ...(claimed === undefined ? {} : { mdmId: claimed.id, mdmName: claimed.name }),
    };
  }

  /** Tells Apple which MDM server uses the location: a location token is for one server. */
  async claim(mdm: { readonly id: string; readonly name: string; readonly metadata: string }): Promise<void> {
    await this.#call('client/config', ConfigResponse, { mdmInfo: mdm });
  }

  /** All assets of one App Store id: the same app may be there once for each platform and pricing. */
  async asset(adamId: string): Promise<readonly Asset[]> {
    const found: Asset[] = [];
    for (let page: number | undefined = 0, turn = 0; page !== undefined && turn < MAX_PAGES; turn += 1) {
      const response: z.infer<typeof AssetsResponse> = await this.#call(
        `assets?${new URLSearchParams({ adamId, pageIndex: String(page) }).toString()}`,
        AssetsResponse,
      );
      found.push(...response.assets.map(readAsset));
      page = response.nextPageIndex ?? undefined;
    }
    return found.filter((asset) => asset.adamId === adamId);
  }

  /** The license that the device holds; undefined: it holds none. */
  async findAssignment(adamId: string, serialNumber: string): Promise<Assignment | undefined> {
    const query = new URLSearchParams({ adamId, serialNumber }).toString();
    const { assignments } = await this.#call(`assignments?${query}`, AssignmentsResponse);
    const found = assignments.find((one) => one.adamId === adamId && one.serialNumber === serialNumber);
    return found && { adamId, serialNumber, pricingParam: found.pricingParam };
  }

  /**
   * Asks for licenses; Apple works on it afterwards. Ask `status` until the event is complete: a device that is told to install
   * before that finds no license.
   */
  async associate(wanted: {
    readonly adamId: string;
    readonly pricingParam: string;
    readonly serialNumbers: readonly string[];
  }): Promise<{ eventId: string }> {
    const { adamId, pricingParam, serialNumbers } = wanted;
    return this.#call('assets/associate', EventResponse, {
      assets: [{ adamId, pricingParam }],
      serialNumbers,
    });
  }

  /** Takes a license back, so that another device can have it. Apple works on it afterwards, as it does with `associate`. */
  async disassociate({ adamId, serialNumber, pricingParam }: Assignment): Promise<{ eventId: string }> {
    const body = { assets: [{ adamId, pricingParam }], serialNumbers: [serialNumber] };
    return this.#call('assets/disassociate', EventResponse, body);
  }

  async status(eventId: string): Promise<EventStatus> {
    const query = new URLSearchParams({ eventId }).toString();
    const { eventStatus, failures } = await this.#call(`status?${query}`, StatusResponse);
    const failure = failures?.[0];
    if (failure !== undefined || eventStatus === 'FAILED') {
      return { state: 'failed', error: eventFailure(failure?.errorNumber) };
    }
    return { state: eventStatus === 'COMPLETE' ? 'complete' : 'pending' };
  }

  /** @throws CataloguedError `apps_and_books.*` */
  async #call<Shape>(path: string, schema: z.ZodType<Shape>, body?: object): Promise<Shape> {
    const { status, headers, content } = await this.#exchange(path, body);
    const refused = responseError(status, headers, content);
    if (refused !== undefined) throw refused;
    const read = schema.safeParse(content);
    if (!read.success) throw new CataloguedError('apps_and_books.unexpected_response', { facts: { status } });
    return read.data;
  }

  async #exchange(
    path: string,
    body?: object,
  ): Promise<{ status: number; headers: Headers; content: unknown }> {
    try {
      const response = await outwardFetch(`${this.#base}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, content: jsonOf(await response.text()) };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no response';
      throw new CataloguedError('apps_and_books.unreachable', { facts: { reason } });
    }
  }
}

const readAsset = (asset: z.infer<typeof AssetResponse>): Asset => ({
  adamId: asset.adamId,
  pricingParam: asset.pricingParam,
  available: asset.availableCount,
  total: asset.totalCount,
  isDeviceAssignable: asset.deviceAssignable,
  platforms: asset.supportedPlatforms ?? [],
});

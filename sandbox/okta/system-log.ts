// A pretend tenant's System Log: what happened to devices, certificates and platforms, and GET /api/v1/logs.
// Types of events: developer.okta.com/docs/reference/api/event-types. Okta does not publish what a pki.* event's targets hold.
import { randomUUID } from 'node:crypto';
import type { SystemLogEvent, SystemLogEventType, SystemLogTarget } from './log-events.ts';
import { refuse } from './refusals.ts';
import type { Tenant, TenantResponse } from './tenant.ts';
import type { IssuedCertificate } from './tenant-state.ts';

export const certificateTarget = (issued: IssuedCertificate): SystemLogTarget => ({
  id: issued.fingerprint,
  type: 'PKICertificate',
  detailEntry: { serialNumber: issued.serialNumber },
});

const KEPT_EVENTS = 10_000;

export function appendLog(
  tenant: Tenant,
  eventType: SystemLogEventType,
  target: readonly SystemLogTarget[],
): void {
  const event = { uuid: randomUUID(), published: tenant.isoNow(), eventType, target };
  tenant.state.log = [...(tenant.state.log ?? []), event].slice(-KEPT_EVENTS);
}

const FILTER = /^\s*eventType\s+eq\s+"([a-z_.]+)"\s*$/i;

/** undefined: Okta would refuse the filter. */
function readFilter(filter: string | null): ((event: SystemLogEvent) => boolean) | undefined {
  if (filter === null) return () => true;
  const types = filter.split(/\s+or\s+/i).map((term) => FILTER.exec(term)?.[1]);
  if (types.includes(undefined)) return undefined;
  return ({ eventType }) => types.includes(eventType);
}

export function handleLog(tenant: Tenant, url: URL): TenantResponse {
  const asked = url.searchParams;
  const limit = Number(asked.get('limit') ?? '100');
  if (!Number.isInteger(limit) || limit < 0 || limit > 1000)
    return refuse('E0000001', {}, 'limit: 0 to 1000');
  const matches = readFilter(asked.get('filter'));
  if (matches === undefined) return refuse('E0000031');
  const since = Date.parse(asked.get('since') ?? '') || tenant.now() - 7 * 86_400_000;
  const until = Date.parse(asked.get('until') ?? '') || Infinity;
  const found = (tenant.state.log ?? []).filter((event) => {
    const at = Date.parse(event.published);
    return at >= since && at < until && matches(event);
  });
  const order = asked.get('sortOrder') ?? 'ASCENDING';
  if (order === 'DESCENDING') found.reverse();
  const after = asked.get('after');
  const from = after === null ? 0 : found.findIndex(({ uuid }) => uuid === after) + 1;
  const page = found.slice(from, from + limit);
  const last = page.at(-1);
  const hasMore = from + page.length < found.length;
  // Without an end a reader polls: there is always a next page.
  const isPolled = until === Infinity && order === 'ASCENDING';
  const links = [`<${tenant.origin}${url.pathname}${url.search}>; rel="self"`];
  if (last !== undefined && (hasMore || isPolled)) {
    const next = new URL(url);
    next.searchParams.set('after', last.uuid);
    links.push(`<${tenant.origin}${next.pathname}${next.search}>; rel="next"`);
  }
  return { status: 200, headers: { link: links.join(', ') }, body: page.map(describe) };
}

const describe = (event: SystemLogEvent) => ({
  ...event,
  version: '0',
  severity: 'INFO',
  outcome: { result: 'SUCCESS' },
  displayMessage: event.eventType,
});

// The `search` parameter of Okta's device list: a SCIM filter (RFC 7644 §3.4.2.2) over the fields that Okta allows.
import type { DeviceRecord } from './tenant-state.ts';

type Test = (device: DeviceRecord) => boolean;

const TERM = /^\s*([A-Za-z.]+)\s+(eq|sw|co|gt|ge|lt|le|pr)(?:\s+("(?:[^"\\]|\\.)*"|true|false))?\s*/i;
const CONTAINS_ALLOWED = ['profile.displayName', 'profile.serialNumber', 'profile.udid'];
const FIELDS =
  /^(id|status|lastUpdated|profile\.(displayName|platform|serialNumber|udid|model|osVersion|manufacturer|registered|managed))$/;

const valueOf = (device: DeviceRecord, field: string): string => {
  const profile: Record<string, unknown> = device.profile;
  const top: Record<string, unknown> = {
    id: device.id,
    status: device.status,
    lastUpdated: device.lastUpdated,
  };
  const value = field.startsWith('profile.') ? profile[field.slice('profile.'.length)] : top[field];
  return value === undefined ? '' : String(value);
};

/** @returns undefined when Okta would refuse the filter */
export function readSearch(filter: string): Test | undefined {
  const alternatives: Test[][] = [[]];
  let rest = filter;
  for (;;) {
    const term = TERM.exec(rest);
    if (term === null) return undefined;
    const test = readTerm(term[1] ?? '', (term[2] ?? '').toLowerCase(), term[3]);
    if (test === undefined) return undefined;
    alternatives.at(-1)?.push(test);
    rest = rest.slice(term[0].length);
    if (rest === '') break;
    const joined = /^(and|or)\s+/i.exec(rest);
    if (joined === null) return undefined;
    if (joined[1]?.toLowerCase() === 'or') alternatives.push([]);
    rest = rest.slice(joined[0].length);
  }
  return (device) => alternatives.some((all) => all.every((test) => test(device)));
}

function readTerm(field: string, operator: string, literal: string | undefined): Test | undefined {
  if (!FIELDS.test(field)) return undefined;
  if (operator === 'pr') return literal === undefined ? (device) => valueOf(device, field) !== '' : undefined;
  if (literal === undefined) return undefined;
  if (operator === 'co' && !CONTAINS_ALLOWED.includes(field)) return undefined;
  if (field === 'lastUpdated') return compareTimes(operator, literal);
  const wanted = (literal.startsWith('"') ? (JSON.parse(literal) as string) : literal).toLowerCase();
  const compare: Record<string, (value: string) => boolean> = {
    eq: (value) => value === wanted,
    sw: (value) => value.startsWith(wanted),
    co: (value) => value.includes(wanted),
    gt: (value) => value > wanted,
    ge: (value) => value >= wanted,
    lt: (value) => value < wanted,
    le: (value) => value <= wanted,
  };
  const holds = compare[operator];
  return holds === undefined ? undefined : (device) => holds(valueOf(device, field).toLowerCase());
}

/** As moments, whatever way they are written; "contains" and the like mean nothing of a time. */
function compareTimes(operator: string, literal: string): Test | undefined {
  const wanted = Date.parse(literal.replaceAll('"', ''));
  if (Number.isNaN(wanted)) return undefined;
  const compare: Record<string, (time: number) => boolean> = {
    eq: (time) => time === wanted,
    gt: (time) => time > wanted,
    ge: (time) => time >= wanted,
    lt: (time) => time < wanted,
    le: (time) => time <= wanted,
  };
  const holds = compare[operator];
  return holds === undefined ? undefined : ({ lastUpdated }) => holds(Date.parse(lastUpdated));
}

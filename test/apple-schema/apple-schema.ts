// Checks property lists against the schema that Apple publishes (apple/device-management, YAML): unknown keys, wrong types,
// missing required keys, values outside a list or range, and what a platform or channel does not have.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { isDict, type PlistDict, type PlistValue } from '../../adapters/mdm/plist.ts';
import type { Platform } from '../../domain/device.ts';

const ROOT = fileURLToPath(
  new URL('../../../shared/reference/apple/device-management/mdm/', import.meta.url),
);

/** Absent in a clone without the shared folder beside it: tests then say so and are left out. */
export const hasAppleSchema = existsSync(ROOT);
if (!hasAppleSchema) console.log("Apple's schema is not beside this clone: what needs it is left out.");

interface Support {
  readonly introduced?: string;
  readonly devicechannel?: boolean;
}
type SupportedOs = Readonly<Partial<Record<Platform, Support>>>;

interface Key {
  readonly key: string;
  readonly type: string;
  readonly presence?: string;
  readonly rangelist?: readonly unknown[];
  readonly range?: { readonly min?: number; readonly max?: number };
  readonly format?: string;
  readonly supportedOS?: SupportedOs;
  readonly subkeys?: readonly Key[];
}

interface Schema {
  readonly payload: { readonly supportedOS?: SupportedOs };
  readonly payloadkeys?: readonly Key[];
  readonly responsekeys?: readonly Key[];
}

interface Check {
  readonly platform: Platform;
  /** Apple's `required` in answers is not reliable (a Mac lacks some of them). */
  readonly isAnswer: boolean;
  readonly problems: string[];
}

const read = new Map<string, Schema>();

function schemaIn(file: string): Schema {
  const known = read.get(file) ?? (parse(readFileSync(`${ROOT}${file}`, 'utf8')) as Schema);
  read.set(file, known);
  return known;
}

function commandSchema(requestType: string): Schema | undefined {
  const names = readdirSync(`${ROOT}commands`);
  const file = names.find((name) =>
    readFileSync(`${ROOT}commands/${name}`, 'utf8').includes(`\n  requesttype: ${requestType}\n`),
  );
  return file === undefined ? undefined : schemaIn(`commands/${file}`);
}

/** What is wrong with the dictionary under `Command`. */
export function problemsOfCommand(request: PlistDict, platform: Platform): string[] {
  const { RequestType: requestType, ...keys } = request;
  const schema = commandSchema(String(requestType));
  if (schema === undefined) return [`${String(requestType)}: no such command`];
  return problemsOf(schema, schema.payloadkeys, keys, { platform, isAnswer: false, problems: [] });
}

/** What is wrong with an answer: only the keys of the command's own answer are looked at. */
export function problemsOfAnswer(requestType: string, report: PlistDict, platform: Platform): string[] {
  const schema = commandSchema(requestType);
  if (schema === undefined) return [`${requestType}: no such command`];
  const common = ['Status', 'UDID', 'CommandUUID', 'ErrorChain', 'RequestType'];
  const keys = Object.fromEntries(Object.entries(report).filter(([key]) => !common.includes(key)));
  return problemsOf(schema, schema.responsekeys, keys, { platform, isAnswer: true, problems: [] });
}

/** What is wrong with a check-in message. */
export function problemsOfCheckIn(message: PlistDict, platform: Platform): string[] {
  const file = `checkin/${String(message['MessageType']).toLowerCase()}.yaml`;
  if (!existsSync(`${ROOT}${file}`)) return [`${String(message['MessageType'])}: no such message`];
  const schema = schemaIn(file);
  const check = { platform, isAnswer: false, problems: [] };
  // Both are called required, and a device has one of them: an EnrollmentID only in a user enrollment.
  const other = message['UDID'] === undefined ? 'UDID' : 'EnrollmentID';
  return problemsOf(schema, schema.payloadkeys, message, check).filter(
    (each) => each !== `${other}: missing`,
  );
}

/**
 * What is wrong with a profile and its payloads. Types that Apple does not know are handed to `others`.
 */
export function problemsOfProfile(
  profile: PlistDict,
  platform: Platform,
  others: (payload: PlistDict) => string[] = (payload) => [`${String(payload['PayloadType'])}: unknown type`],
): string[] {
  const top = schemaIn('profiles/TopLevel.yaml');
  const problems = problemsOf(top, top.payloadkeys, profile, { platform, isAnswer: false, problems: [] });
  const payloads = Array.isArray(profile['PayloadContent'])
    ? (profile['PayloadContent'] as PlistValue[])
    : [];
  const identifiers = payloads.map((payload) => (isDict(payload) ? payload['PayloadIdentifier'] : undefined));
  const uuids = payloads.map((payload) => (isDict(payload) ? payload['PayloadUUID'] : undefined));
  if (new Set(identifiers).size !== payloads.length) problems.push('a payload identifier twice');
  if (new Set([...uuids, profile['PayloadUUID']]).size !== payloads.length + 1) problems.push('a UUID twice');
  return [
    ...problems,
    ...payloads.filter(isDict).flatMap((each) => problemsOfPayload(each, platform, others)),
  ];
}

function problemsOfPayload(
  payload: PlistDict,
  platform: Platform,
  others: (payload: PlistDict) => string[],
): string[] {
  const common = schemaIn('profiles/CommonPayloadKeys.yaml');
  const isCommon = ([key]: [string, unknown]): boolean =>
    (common.payloadkeys ?? []).some((each) => each.key === key);
  const entries = Object.entries(payload);
  const problems = problemsOf(common, common.payloadkeys, Object.fromEntries(entries.filter(isCommon)), {
    platform,
    isAnswer: false,
    problems: [],
  });
  const file = `profiles/${String(payload['PayloadType'])}.yaml`;
  if (!existsSync(`${ROOT}${file}`)) return [...problems, ...others(payload)];
  const own = Object.fromEntries(entries.filter((entry) => !isCommon(entry)));
  const schema = schemaIn(file);
  return [
    ...problems,
    ...problemsOf(schema, schema.payloadkeys, own, { platform, isAnswer: false, problems: [] }).map(
      (problem) => `${String(payload['PayloadType'])} ${problem}`,
    ),
  ];
}

function problemsOf(
  schema: Schema,
  keys: readonly Key[] | undefined,
  dict: PlistDict,
  check: Check,
): string[] {
  const support = schema.payload.supportedOS?.[check.platform];
  if (support?.introduced === 'n/a') check.problems.push(`not for ${check.platform}`);
  if (support?.devicechannel === false) check.problems.push('not on the device channel');
  checkDict(keys ?? [], dict, '', check);
  return check.problems;
}

const isSupported = (key: Key, platform: Platform): boolean =>
  key.supportedOS?.[platform]?.introduced !== 'n/a';

function checkDict(keys: readonly Key[], dict: PlistDict, path: string, check: Check): void {
  const wildcard = keys.find(({ key }) => key.startsWith('ANY'));
  for (const [name, value] of Object.entries(dict)) {
    const key = keys.find((each) => each.key === name) ?? wildcard;
    if (key === undefined) check.problems.push(`${path}${name}: unknown key`);
    else if (!isSupported(key, check.platform))
      check.problems.push(`${path}${name}: not for ${check.platform}`);
    else if (value !== undefined) checkValue(key, value, `${path}${name}`, check);
  }
  if (check.isAnswer) return;
  for (const key of keys) {
    const isNeeded = key.presence === 'required' && key !== wildcard && isSupported(key, check.platform);
    if (isNeeded && dict[key.key] === undefined) check.problems.push(`${path}${key.key}: missing`);
  }
}

function checkValue(key: Key, value: PlistValue, path: string, check: Check): void {
  if (key.type !== '<any>' && key.type !== typeOf(value) && !(key.type === '<real>' && isInteger(value))) {
    check.problems.push(`${path}: ${typeOf(value)} where ${key.type} is expected`);
    return;
  }
  if (key.rangelist && !key.rangelist.includes(value)) check.problems.push(`${path}: value not in the list`);
  const { min = -Infinity, max = Infinity } = key.range ?? {};
  if (typeof value === 'number' && (value < min || value > max)) check.problems.push(`${path}: out of range`);
  if (key.format !== undefined && typeof value === 'string' && !new RegExp(key.format).test(value))
    check.problems.push(`${path}: not of the format`);
  if (isDict(value) && key.subkeys) checkDict(key.subkeys, value, `${path}.`, check);
  else if (Array.isArray(value)) checkItems(key, value as readonly PlistValue[], path, check);
  else if (typeof value === 'string' && key.subkeys) checkName(key.subkeys, value, path, check);
}

/** A list has one item description, or one for each kind of item, told apart by the value of `Item` (Settings). */
function checkItems(key: Key, items: readonly PlistValue[], path: string, check: Check): void {
  const descriptions = key.subkeys ?? [];
  if (descriptions.length === 0) return;
  items.forEach((item, index) => {
    const description =
      descriptions.length < 2 || !isDict(item)
        ? descriptions[0]
        : descriptions.find(({ key: name }) => name === item['Item']);
    if (description === undefined) check.problems.push(`${path}[${index}]: unknown item`);
    else if (!isSupported(description, check.platform))
      check.problems.push(`${path}[${index}]: not for ${check.platform}`);
    else checkValue(description, item, `${path}[${index}]`, check);
  });
}

/** The names that a list of text may hold, each with its own platforms (DeviceInformation's queries). */
function checkName(names: readonly Key[], value: string, path: string, check: Check): void {
  const name = names.find(({ key }) => key === value);
  if (name === undefined) check.problems.push(`${path}: unknown name ${value}`);
  else if (!isSupported(name, check.platform))
    check.problems.push(`${path}: ${value} not for ${check.platform}`);
}

const isInteger = (value: PlistValue): boolean => typeof value === 'bigint' || Number.isInteger(value);

function typeOf(value: PlistValue): string {
  if (typeof value === 'string') return '<string>';
  if (typeof value === 'boolean') return '<boolean>';
  if (isInteger(value)) return '<integer>';
  if (typeof value === 'number') return '<real>';
  if (value instanceof Date) return '<date>';
  if (value instanceof Uint8Array) return '<data>';
  return Array.isArray(value) ? '<array>' : '<dictionary>';
}

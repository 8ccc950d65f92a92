// Compares one dictionary with the keys that Apple publishes for it, on one platform, OS version and channel.
import { isDict, type PlistDict, type PlistValue } from '../../adapters/mdm/plist.ts';
import type { Platform } from '../../domain/device.ts';
import type { AppleKey, AppleSupport, SchemaFile } from '../../scripts/apple-facts.ts';

/** Who reads the message (or, for an answer, who wrote it). */
export interface Target {
  readonly platform: Platform;
  /** As a device reports it: '15.7.2'. */
  readonly osVersion: string;
  readonly channel?: 'device' | 'user';
}

export interface Check extends Target {
  /** Apple's `required` in responses is not reliable (a Mac lacks some of them). */
  readonly isResponse: boolean;
}

const isBefore = (one: string, other: string): boolean =>
  one.localeCompare(other, 'en', { numeric: true }) < 0;

/** Why the target does not know something, or undefined when it does. */
function whyNot(os: AppleSupport | undefined, { platform, osVersion, channel = 'device' }: Target) {
  const { introduced, deprecated, removed, device, user } = os?.[platform] ?? {};
  if (introduced === 'n/a') return `not for ${platform}`;
  if (introduced !== undefined && isBefore(osVersion, introduced))
    return `not before ${platform} ${introduced}`;
  if (removed !== undefined && !isBefore(osVersion, removed)) return `gone since ${platform} ${removed}`;
  if (deprecated !== undefined && !isBefore(osVersion, deprecated))
    return `deprecated since ${platform} ${deprecated}`;
  if ((channel === 'device' ? device : user) === false) return `not on the ${channel} channel`;
  return undefined;
}

/** Problems of a message as a whole and of each of its keys; a problem begins with the path of its key. */
export function checkFile(
  file: SchemaFile,
  keys: readonly AppleKey[] | undefined,
  dict: PlistDict,
  check: Check,
): string[] {
  const problem = whyNot(file.os, check);
  return [...(problem === undefined ? [] : [problem]), ...checkDict(keys ?? [], dict, '', check)];
}

function checkDict(keys: readonly AppleKey[], dict: PlistDict, path: string, check: Check): string[] {
  const wildcard = keys.find(({ key }) => key.startsWith('ANY'));
  const problems = Object.entries(dict).flatMap(([name, value]) => {
    const key = keys.find((each) => each.key === name) ?? wildcard;
    if (key === undefined) return [`${path}${name}: unknown key`];
    const problem = whyNot(key.os, check);
    if (problem !== undefined) return [`${path}${name}: ${problem}`];
    return value === undefined ? [] : checkValue(key, value, `${path}${name}`, check);
  });
  if (check.isResponse) return problems;
  const missing = keys.filter(
    (key) =>
      key.required === true &&
      key !== wildcard &&
      whyNot(key.os, check) === undefined &&
      dict[key.key] === undefined,
  );
  return [...problems, ...missing.map(({ key }) => `${path}${key}: missing`)];
}

function checkValue(key: AppleKey, value: PlistValue, path: string, check: Check): string[] {
  if (key.type !== 'any' && key.type !== typeOf(value) && !(key.type === 'real' && isInteger(value)))
    return [`${path}: ${typeOf(value)} where ${key.type} is expected`];
  const problems: string[] = [];
  if (key.values && !key.values.includes(typeof value === 'bigint' ? Number(value) : value))
    problems.push(`${path}: value not in the list`);
  const { min = -Infinity, max = Infinity } = (Array.isArray(value) ? key.repetition : key.range) ?? {};
  const size = Array.isArray(value) ? value.length : value;
  if ((typeof size === 'number' || typeof size === 'bigint') && (size < min || size > max))
    problems.push(`${path}: out of range`);
  if (key.format !== undefined && typeof value === 'string' && !new RegExp(key.format).test(value))
    problems.push(`${path}: not of the format`);
  return [...problems, ...checkContent(key.keys, value, path, check)];
}

function checkContent(
  keys: readonly AppleKey[] | undefined,
  value: PlistValue,
  path: string,
  check: Check,
): string[] {
  if (keys === undefined || keys.length === 0) return [];
  if (isDict(value)) return checkDict(keys, value, `${path}.`, check);
  if (Array.isArray(value)) return checkItems(keys, value as readonly PlistValue[], path, check);
  return typeof value === 'string' ? checkName(keys, value, path, check) : [];
}

/** A list has one item description, or one for each kind of item, told apart by the value of `Item` (Settings). */
function checkItems(
  descriptions: readonly AppleKey[],
  items: readonly PlistValue[],
  path: string,
  check: Check,
): string[] {
  return items.flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const description =
      descriptions.length < 2 || !isDict(item)
        ? descriptions[0]
        : descriptions.find(({ key }) => key === item['Item']);
    if (description === undefined) return [`${at}: unknown item`];
    const problem = whyNot(description.os, check);
    return problem === undefined ? checkValue(description, item, at, check) : [`${at}: ${problem}`];
  });
}

/** The names that a list of text may hold, each with its own platforms (DeviceInformation's queries). */
function checkName(names: readonly AppleKey[], value: string, path: string, check: Check): string[] {
  const name = names.find(({ key }) => key === value);
  if (name === undefined) return [`${path}: unknown name ${value}`];
  const problem = whyNot(name.os, check);
  return problem === undefined ? [] : [`${path}: ${value} ${problem}`];
}

const isInteger = (value: PlistValue): boolean => typeof value === 'bigint' || Number.isInteger(value);

function typeOf(value: PlistValue): string {
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value;
  if (isInteger(value)) return 'integer';
  if (typeof value === 'number') return 'real';
  if (value instanceof Date) return 'date';
  if (value instanceof Uint8Array) return 'data';
  return Array.isArray(value) ? 'array' : 'dictionary';
}

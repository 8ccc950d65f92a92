// Checks property lists against what Apple publishes about them (test/data/apple-schema.json): unknown keys, wrong types, missing
// required keys, values outside a list or range, and what an OS version or a channel does not know.
import { readFileSync } from 'node:fs';
import { isDict, type PlistDict, type PlistValue } from '../../adapters/mdm/plist.ts';
import type { Platform } from '../../domain/device.ts';
import { osVersionsOf } from '../../sandbox/devices/hardware.ts';
import type { AppleSchema, SchemaFile } from '../../scripts/apple-facts.ts';
import { checkFile, type Target } from './check-keys.ts';

const schema = JSON.parse(
  readFileSync(new URL('../data/apple-schema.json', import.meta.url), 'utf8'),
) as AppleSchema;

/** Every OS version that a device of the sandbox reports. */
export const targetsOf = (platform: Platform): Target[] =>
  osVersionsOf(platform).map((osVersion) => ({ platform, osVersion }));

/** What is wrong with the dictionary under `Command`. */
export function problemsOfCommand(request: PlistDict, target: Target): string[] {
  const { RequestType: requestType, ...keys } = request;
  const file = schema.commands[String(requestType)];
  if (file === undefined) return [`${String(requestType)}: no such command`];
  return checkFile(file, file.keys, keys, { ...target, isResponse: false });
}

const COMMON_RESPONSE_KEYS = [
  'Status',
  'UDID',
  'CommandUUID',
  'ErrorChain',
  'RequestType',
  'UserID',
  'UserShortName',
];

/** What is wrong with a response: only the keys of the command's own response are looked at. */
export function problemsOfResponse(requestType: string, report: PlistDict, target: Target): string[] {
  const file = schema.commands[requestType];
  if (file === undefined) return [`${requestType}: no such command`];
  const keys = Object.entries(report).filter(([key]) => !COMMON_RESPONSE_KEYS.includes(key));
  return checkFile(file, file.response, Object.fromEntries(keys), { ...target, isResponse: true });
}

/** What is wrong with a check-in message. */
export function problemsOfCheckIn(message: PlistDict, target: Target): string[] {
  const file = schema.checkIns[String(message['MessageType'])];
  if (file === undefined) return [`${String(message['MessageType'])}: no such message`];
  // Both are called required, and a device has one of them: an EnrollmentID only in a user enrollment.
  const other = message['UDID'] === undefined ? 'UDID' : 'EnrollmentID';
  return checkFile(file, file.keys, message, { ...target, isResponse: false }).filter(
    (each) => each !== `${other}: missing`,
  );
}

/** What is wrong with a profile and its payloads. Types that Apple does not know are handed to `others`. */
export function problemsOfProfile(
  profile: PlistDict,
  target: Target,
  others: (payload: PlistDict) => string[] = (payload) => [`${String(payload['PayloadType'])}: unknown type`],
): string[] {
  const top = publishedProfile('TopLevel');
  const problems = checkFile(top, top.keys, profile, { ...target, isResponse: false });
  const payloads = Array.isArray(profile['PayloadContent'])
    ? (profile['PayloadContent'] as PlistValue[])
    : [];
  const identifiers = payloads.map((payload) => (isDict(payload) ? payload['PayloadIdentifier'] : undefined));
  const uuids = payloads.map((payload) => (isDict(payload) ? payload['PayloadUUID'] : undefined));
  if (new Set(identifiers).size !== payloads.length) problems.push('a payload identifier twice');
  if (new Set([...uuids, profile['PayloadUUID']]).size !== payloads.length + 1) problems.push('a UUID twice');
  return [...problems, ...payloads.filter(isDict).flatMap((each) => problemsOfPayload(each, target, others))];
}

function publishedProfile(name: string): SchemaFile {
  const file = schema.profiles[name];
  if (file === undefined) throw new Error(`test/data/apple-schema.json lacks ${name}`);
  return file;
}

function problemsOfPayload(
  payload: PlistDict,
  target: Target,
  others: (payload: PlistDict) => string[],
): string[] {
  const common = publishedProfile('CommonPayloadKeys');
  const isCommon = ([key]: [string, unknown]): boolean =>
    (common.keys ?? []).some((each) => each.key === key);
  const entries = Object.entries(payload);
  const check = { ...target, isResponse: false };
  const problems = checkFile(common, common.keys, Object.fromEntries(entries.filter(isCommon)), check);
  const file = schema.profiles[String(payload['PayloadType'])];
  if (file === undefined) return [...problems, ...others(payload)];
  const own = Object.fromEntries(entries.filter((entry) => !isCommon(entry)));
  return [
    ...problems,
    ...checkFile(file, file.keys, own, check).map(
      (problem) => `${String(payload['PayloadType'])} ${problem}`,
    ),
  ];
}

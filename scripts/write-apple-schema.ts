// Writes test/data/apple-schema.json from a clone of github.com/apple/device-management: keys, types, presence, ranges and the OS
// versions that know them, and none of its prose. With a folder of Apple's documentation as Markdown, what is newer there is added.
//   npx tsx scripts/write-apple-schema.ts FOLDER 'COMMIT (DATE, RELEASES)' [DOCUMENTATION 'ITS SOURCE (DATE)']
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { AppleDocumentation } from './apple-documentation.ts';
import type { AppleKey, AppleSupport, SchemaFile } from './apple-facts.ts';

const OUT = new URL('../test/data/apple-schema.json', import.meta.url);
/** The envelope, and the payloads that Odette, a sandbox or an administrator beside them sends. */
const PAYLOADS = [
  'TopLevel',
  'CommonPayloadKeys',
  'com.apple.mdm',
  'com.apple.security.scep',
  'com.apple.security.root',
  'com.apple.security.pem',
  'com.apple.security.pkcs1',
  'com.apple.extensiblesso',
  'com.apple.loginitems.managed',
  'com.apple.servicemanagement',
  'com.apple.notificationsettings',
  'com.apple.ManagedClient.preferences',
];

/** Their pages in Apple's documentation. */
const PAGES: Readonly<Record<string, string>> = {
  TopLevel: 'toplevel',
  CommonPayloadKeys: 'commonpayloadkeys',
  'com.apple.mdm': 'mdm',
  'com.apple.security.scep': 'scep',
  'com.apple.security.root': 'certificateroot',
  'com.apple.security.pem': 'certificatepem',
  'com.apple.security.pkcs1': 'certificatepkcs1',
  'com.apple.extensiblesso': 'extensiblesinglesignon',
  'com.apple.loginitems.managed': 'loginitemsmanageditems',
  'com.apple.servicemanagement': 'servicemanagementmanagedloginitems',
  'com.apple.notificationsettings': 'notifications',
  'com.apple.ManagedClient.preferences': 'managedpreferences',
};
/** On the page of each, and in no file of the release. */
const COMMON_OF_COMMAND = ['RequestType', 'RequestRequiresNetworkTether'];
const COMMON_OF_RESPONSE = [
  'CommandUUID',
  'EnrollmentID',
  'EnrollmentUserID',
  'ErrorChain',
  'NotOnConsole',
  'RequestType',
  'Status',
  'UDID',
  'UserID',
  'UserLongName',
  'UserShortName',
];

const PLATFORMS = ['macOS', 'iOS'] as const;

interface PublishedSupport {
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly removed?: string;
  readonly devicechannel?: boolean;
  readonly userchannel?: boolean;
}
type PublishedOs = Readonly<Partial<Record<(typeof PLATFORMS)[number], PublishedSupport>>>;

interface PublishedKey {
  readonly key: string;
  readonly type: string;
  readonly presence?: string;
  readonly rangelist?: readonly unknown[];
  readonly range?: { readonly min?: number; readonly max?: number };
  readonly repetition?: { readonly min?: number; readonly max?: number };
  readonly format?: string;
  readonly supportedOS?: PublishedOs;
  readonly subkeys?: readonly PublishedKey[];
}

interface PublishedFile {
  readonly payload: {
    readonly requesttype?: string;
    readonly payloadtype?: string;
    readonly supportedOS?: PublishedOs;
  };
  readonly payloadkeys?: readonly PublishedKey[];
  readonly responsekeys?: readonly PublishedKey[];
}

function supportOf(published: PublishedOs | undefined): AppleSupport | undefined {
  const platforms = PLATFORMS.flatMap((platform) => {
    const { introduced, deprecated, removed, devicechannel, userchannel } = published?.[platform] ?? {};
    const channels = {
      ...(devicechannel === undefined ? {} : { device: devicechannel }),
      ...(userchannel === undefined ? {} : { user: userchannel }),
    };
    const facts = { introduced, deprecated, removed, ...channels };
    const isEmpty = Object.values(facts).every((value) => value === undefined);
    return isEmpty ? [] : [[platform, facts] as const];
  });
  return platforms.length === 0 ? undefined : Object.fromEntries(platforms);
}

function keysOf(published: readonly PublishedKey[] | undefined): AppleKey[] | undefined {
  return published?.map(
    ({ key, type, presence, rangelist, range, repetition, format, supportedOS, subkeys }) => ({
      key,
      type: type.replace(/^<|>$/g, ''),
      required: presence === 'required' ? true : undefined,
      values: rangelist,
      range,
      repetition,
      format,
      os: supportOf(supportedOS),
      keys: keysOf(subkeys),
    }),
  );
}

function readFolder(
  folder: string,
  nameOf: (file: PublishedFile, stem: string) => string,
  names = readdirSync(folder).filter((name) => name.endsWith('.yaml')),
): Record<string, SchemaFile> {
  const files = names.map((name) => {
    const file = parse(readFileSync(path.join(folder, name), 'utf8')) as PublishedFile;
    const facts: SchemaFile = {
      os: supportOf(file.payload.supportedOS),
      keys: keysOf(file.payloadkeys),
      response: keysOf(file.responsekeys),
    };
    return [nameOf(file, path.basename(name, '.yaml')), facts] as const;
  });
  return Object.fromEntries(files.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** One line for each message, so that a new release shows as what it changes. */
const lines = (files: Readonly<Record<string, SchemaFile>>): string =>
  Object.entries(files)
    .map(([name, file]) => `${JSON.stringify(name)}:${JSON.stringify(file)}`)
    .join(',\n');

const [folder, release, documentation, documented] = process.argv.slice(2);
if (
  folder === undefined ||
  release === undefined ||
  (documentation === undefined) !== (documented === undefined)
) {
  console.error(
    "usage: write-apple-schema.ts FOLDER 'COMMIT (DATE, RELEASES)' [DOCUMENTATION 'ITS SOURCE (DATE)']",
  );
  process.exit(2);
}
const mdm = path.join(folder, 'mdm');
const byRequestType = ({ payload }: PublishedFile, stem: string): string => payload.requesttype ?? stem;
const released = {
  checkIns: readFolder(path.join(mdm, 'checkin'), byRequestType),
  commands: readFolder(path.join(mdm, 'commands'), byRequestType),
  profiles: readFolder(
    path.join(mdm, 'profiles'),
    (_, stem) => stem,
    PAYLOADS.map((name) => `${name}.yaml`),
  ),
};
const sources = [`github.com/apple/device-management @ ${release}; MIT license`];
const schema =
  documentation === undefined ? released : withNewer(released, new AppleDocumentation(documentation));
if (documented !== undefined) sources.push(`what is newer: ${documented}`);
writeFileSync(
  OUT,
  `{"source":${JSON.stringify(sources.join('; '))},\n"checkIns":{\n${lines(schema.checkIns)}},\n"commands":{\n${lines(schema.commands)}},\n"profiles":{\n${lines(schema.profiles)}}}\n`,
);

function withNewer(base: typeof released, newer: AppleDocumentation): typeof released {
  const each = (files: Record<string, SchemaFile>, change: (file: SchemaFile, name: string) => SchemaFile) =>
    Object.fromEntries(Object.entries(files).map(([name, file]) => [name, change(file, name)]));
  const merged = {
    checkIns: each(base.checkIns, (file, name) => ({
      ...file,
      keys: newer.withNewer(file.keys, `${name.toLowerCase()}request`),
    })),
    commands: each(base.commands, (file, name) => ({
      ...file,
      keys: newer.withNewer(
        file.keys,
        `${name.toLowerCase()}command/command-data.dictionary`,
        COMMON_OF_COMMAND,
      ),
      response: newer.withNewer(file.response, `${name.toLowerCase()}response`, COMMON_OF_RESPONSE),
    })),
    profiles: each(base.profiles, (file, name) => ({
      ...file,
      keys: newer.withNewer(file.keys, PAGES[name] ?? name),
    })),
  };
  for (const remark of newer.remarks) console.log(remark);
  return merged;
}

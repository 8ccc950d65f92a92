// Writes test/data/okta-openapi.json and test/data/okta-manifests.json: the forms of Okta's published API, and the keys of Okta
// Verify's preference domains, without any prose.
//   npx tsx scripts/write-okta-facts.ts FOLDER
// FOLDER holds okta-management-subset.openapi.json and okta-oauth-token-subset.openapi.json (cut from the files that
// github.com/okta/okta-management-openapi-spec releases) and manifests/ (from github.com/ProfileManifests/ProfileManifests).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'plist';

export interface OktaOpenApi {
  readonly source: string;
  /** OpenAPI 3.0 schemas by name. */
  readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The keys of one preference domain. */
export interface OktaManifest {
  readonly source: string;
  readonly keys: readonly {
    readonly name: string;
    /** string, integer, real, boolean */
    readonly type: string;
    readonly required?: boolean | undefined;
    readonly values?: readonly (string | number)[] | undefined;
  }[];
}

const DOMAINS = ['com.okta.mobile', 'com.okta.mobile.auth-service-extension'];
const PROSE = [
  'description',
  'summary',
  'title',
  'example',
  'examples',
  'externalDocs',
  'tags',
  'deprecated',
];

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param areNames whether the keys are names of Okta's and not words of OpenAPI */
function withoutProse(value: unknown, areNames = false): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutProse(each));
  if (!isNode(value)) return value;
  const isFact = (key: string): boolean => areNames || (!PROSE.includes(key) && !key.startsWith('x-'));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => isFact(key))
      .map(([key, inside]) => [key, withoutProse(inside, !areNames && key === 'properties')]),
  );
}

function openApiOf(file: string): OktaOpenApi {
  const { info, components } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly info: {
      readonly title: string;
      readonly version: string;
      readonly license: { readonly name: string };
    };
    readonly components: { readonly schemas: Node };
  };
  return {
    source: `${info.title} ${info.version}; ${info.license.name}`,
    schemas: withoutProse(components.schemas, true) as OktaOpenApi['schemas'],
  };
}

interface PublishedManifest {
  readonly pfm_last_modified: Date;
  readonly pfm_version: number;
  readonly pfm_subkeys: readonly {
    readonly pfm_name: string;
    readonly pfm_type: string;
    readonly pfm_require?: string;
    readonly pfm_range_list?: readonly (string | number)[];
  }[];
}

function manifestOf(file: string): OktaManifest {
  const published = parse(readFileSync(file, 'utf8')) as unknown as PublishedManifest;
  const date = published.pfm_last_modified.toISOString().slice(0, 10);
  return {
    source: `ProfileManifests, version ${published.pfm_version} of ${date}; MIT license`,
    keys: published.pfm_subkeys.map((key) => ({
      name: key.pfm_name,
      type: key.pfm_type,
      required: key.pfm_require === 'always' ? true : undefined,
      values: key.pfm_range_list,
    })),
  };
}

/** One line for each entry, so that a new release shows as what it changes. */
const lines = (entries: Readonly<Record<string, unknown>>): string =>
  Object.entries(entries)
    .map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    .join(',\n');

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: write-okta-facts.ts FOLDER');
  process.exit(2);
}
const apis = ['management', 'oauth-token'].map((name) => {
  const { source, schemas } = openApiOf(path.join(folder, `okta-${name}-subset.openapi.json`));
  return `${JSON.stringify(name)}:{"source":${JSON.stringify(source)},"schemas":{\n${lines(schemas)}}}`;
});
writeFileSync(new URL('../test/data/okta-openapi.json', import.meta.url), `{${apis.join(',\n')}}\n`);
const manifests = Object.fromEntries(
  DOMAINS.map((domain) => [domain, manifestOf(path.join(folder, 'manifests', `${domain}.plist`))]),
);
writeFileSync(new URL('../test/data/okta-manifests.json', import.meta.url), `{${lines(manifests)}}\n`);

// Reads facts from pages of Apple's device management documentation, as one folder of Markdown: properties with type, presence, values
// and the OS versions that know them. Newer than the newest release of apple/device-management, and without its structure of files.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AppleKey, AppleSupport } from './apple-facts.ts';

interface Property {
  readonly name: string;
  /** string, integer, real, boolean, date, data, any, array, dictionary */
  readonly type: string;
  readonly required: boolean;
  readonly values: readonly string[] | undefined;
  readonly available: Versions | undefined;
  readonly deprecated: Versions;
  readonly removed: Versions;
  /** The page of its dictionary, or of what its array holds. */
  readonly page: string | undefined;
}
type Versions = ReadonlyMap<string, string>;

const PLATFORMS = ['macOS', 'iOS'] as const;
const SIMPLE: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'integer',
  number: 'real',
  boolean: 'boolean',
  date: 'date',
  data: 'data',
  any: 'any',
};

/** `iOS 5+ | iPadOS 5+ | macOS 10.9+` */
const versionsOf = (text: string | undefined): Versions =>
  new Map(
    [...(text ?? '').matchAll(/(\w+) (\d+(?:\.\d+)*)\+/g)].map(([, platform = '', version = '']) => [
      platform,
      version.includes('.') ? version : `${version}.0`,
    ]),
  );

export class AppleDocumentation {
  readonly #folder: string;
  /** What the release has and the documentation does not name, and the other way round, as lines for whoever runs the script. */
  readonly remarks: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The release's facts, with those that the page has beside them.
   * @param common keys that the page has and the release leaves out
   */
  withNewer(
    keys: readonly AppleKey[] | undefined,
    page: string,
    common: readonly string[] = [],
  ): readonly AppleKey[] | undefined {
    const properties = this.#read(page);
    if (properties === undefined) {
      this.remarks.push(`${page}: no page`);
      return keys;
    }
    const known = (keys ?? []).map((key) => {
      const property = properties.get(key.key);
      return property === undefined ? key : this.#merged(key, property);
    });
    const added = [...properties.values()]
      .filter(
        ({ name }) =>
          !common.includes(name) && !(keys ?? []).some(({ key }) => key === name || key.startsWith('ANY')),
      )
      .map((property) => this.#newKey(property, page));
    return known.length + added.length === 0 ? keys : [...known, ...added];
  }

  #merged(key: AppleKey, property: Property): AppleKey {
    const os: Record<string, object> = { ...key.os };
    for (const platform of PLATFORMS) {
      const before = key.os?.[platform];
      const introduced = property.available?.get(platform);
      const isUnknown = before?.introduced === 'n/a' && introduced === undefined;
      const newer = isUnknown
        ? {}
        : {
            ...(before?.introduced === 'n/a' && { introduced }),
            ...only('deprecated', before?.deprecated ?? property.deprecated.get(platform)),
            ...only('removed', before?.removed ?? property.removed.get(platform)),
          };
      if (Object.keys(newer).length > 0) os[platform] = { ...before, ...newer };
    }
    const values = key.values && [...key.values, ...newValues(key.values, property.values)];
    return {
      ...key,
      values,
      os: Object.keys(os).length > 0 ? (os as AppleSupport) : undefined,
      keys: this.#content(key, property),
    };
  }

  #content({ type, keys }: AppleKey, { page }: Property): AppleKey['keys'] {
    if (page === undefined || keys === undefined) return keys;
    if (type === 'dictionary') return this.withNewer(keys, page);
    const [item, ...others] = keys;
    if (type !== 'array' || item?.type !== 'dictionary' || others.length > 0) return keys;
    return [{ ...item, keys: this.withNewer(item.keys, page) }];
  }

  #newKey({ name, type, required, values, available, deprecated, removed, page }: Property, of: string) {
    this.remarks.push(`${of}: ${name} is new`);
    const os = Object.fromEntries(
      PLATFORMS.flatMap((platform) => {
        const facts = {
          ...(available !== undefined && { introduced: available.get(platform) ?? 'n/a' }),
          ...only('deprecated', deprecated.get(platform)),
          ...only('removed', removed.get(platform)),
        };
        return Object.keys(facts).length > 0 ? [[platform, facts]] : [];
      }),
    );
    const content = page === undefined ? undefined : this.withNewer(undefined, page);
    const isList = type === 'array';
    return {
      key: name,
      type,
      ...(required && { required }),
      ...(values !== undefined && { values }),
      ...(Object.keys(os).length > 0 && { os }),
      ...(content !== undefined && {
        keys: isList ? [{ key: 'Item', type: 'dictionary', keys: content }] : content,
      }),
    };
  }

  #read(page: string): ReadonlyMap<string, Property> | undefined {
    const file = path.join(this.#folder, `${page}.md`);
    if (!existsSync(file)) return undefined;
    const text = readFileSync(file, 'utf8');
    const pages = new Map(
      [...text.matchAll(/\[([\w.() ]+)\]\(\/documentation\/devicemanagement\/([^)]+)\)/g)].map(
        ([, name = '', target = '']) => [name, target],
      ),
    );
    const section = text.split(/^## Properties$/m)[1]?.split(/^## /m)[0] ?? '';
    const properties = section
      .split(/^### /m)
      .slice(1)
      .map((part) => propertyOf(part, pages));
    return new Map(properties.map((property) => [property.name, property]));
  }
}

const only = (name: string, value: string | undefined): object =>
  value === undefined ? {} : { [name]: value };

const newValues = (before: readonly unknown[], now: readonly string[] | undefined): unknown[] => {
  const known = new Set(before.map(String));
  const isNumber = before.every((value) => typeof value === 'number');
  return (now ?? []).filter((value) => !known.has(value)).map((value) => (isNumber ? Number(value) : value));
};

function propertyOf(part: string, pages: ReadonlyMap<string, string>): Property {
  const line = (pattern: RegExp): string | undefined => pattern.exec(part)?.[1];
  const name = (part.split('\n')[0] ?? '').trim();
  const type = line(/^- \*\*Type:\*\* `(.+)`$/m) ?? 'any';
  const inner = type.replace(/^\[|\]$/g, '');
  const values = line(/^- \*\*Allowed Values:\*\* (.+)$/m);
  const available = line(/^Available: (.+)$/m);
  return {
    name,
    type: type.startsWith('[') ? 'array' : (SIMPLE[type] ?? 'dictionary'),
    required: line(/^- \*\*Required:\*\* (.+)$/m) === 'Yes',
    values:
      values === undefined ? undefined : [...values.matchAll(/`([^`]*)`/g)].map(([, value = '']) => value),
    available: available === undefined ? undefined : versionsOf(available),
    deprecated: versionsOf(line(/^Deprecated: (.+)$/m)),
    removed: versionsOf(line(/^Removed: (.+)$/m)),
    page: SIMPLE[inner] === undefined ? pages.get(inner) : undefined,
  };
}

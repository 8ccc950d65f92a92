// What test/data/apple-schema.json holds: facts of Apple's messages, commands and payloads.
import type { Platform } from '../domain/device.ts';

/** Absent: as the surrounding dictionary. `introduced` is a version, or 'n/a' where a platform does not have it at all. */
interface SupportedVersions {
  readonly introduced?: string | undefined;
  readonly deprecated?: string | undefined;
  readonly removed?: string | undefined;
  /** On the device channel; absent is yes. */
  readonly device?: boolean;
  /** On the user channel; absent is yes. */
  readonly user?: boolean;
}
export type AppleSupport = Readonly<Partial<Record<Platform, SupportedVersions>>>;

export interface AppleKey {
  readonly key: string;
  /** string, integer, real, boolean, date, data, array, dictionary, any */
  readonly type: string;
  readonly required?: boolean | undefined;
  readonly values?: readonly unknown[] | undefined;
  readonly range?: { readonly min?: number; readonly max?: number } | undefined;
  /** How many items an array has. */
  readonly repetition?: { readonly min?: number; readonly max?: number } | undefined;
  /** A regular expression. */
  readonly format?: string | undefined;
  readonly os?: AppleSupport | undefined;
  readonly keys?: readonly AppleKey[] | undefined;
}

export interface SchemaFile {
  readonly os?: AppleSupport | undefined;
  readonly keys?: readonly AppleKey[] | undefined;
  readonly response?: readonly AppleKey[] | undefined;
}

export interface AppleSchema {
  readonly source: string;
  readonly checkIns: Readonly<Record<string, SchemaFile>>;
  readonly commands: Readonly<Record<string, SchemaFile>>;
  readonly profiles: Readonly<Record<string, SchemaFile>>;
}

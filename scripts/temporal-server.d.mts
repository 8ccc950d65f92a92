// Types of temporal-server.mjs for the launcher and the tests.

export const VERSION: string;

/** @throws Error when every way failed: what was tried and what to install */
export function getTemporal(say?: (line: string) => void): Promise<string>;

/** Without the network. */
export function findTemporal(say?: (line: string) => void): Promise<string | undefined>;

export interface TemporalVersion {
  readonly text: string;
  readonly cli: readonly number[];
  readonly server: readonly number[];
}

export function versionOf(command: string): Promise<TemporalVersion | undefined>;

export function isNewEnough(version: TemporalVersion | undefined): boolean;

// Reads typed fields out of a property list's dictionary: a field of another type counts as absent.
import { recordedLine } from '../../domain/recorded-text.ts';
import { isDict, type PlistDict, type PlistValue } from './plist.ts';

export function textOf(dict: PlistDict, key: string): string | undefined {
  const value = dict[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A name on one line without control characters, cut where nobody reads on: what is longer fits into no index of the database. */
export const lineOf = (dict: PlistDict, key: string): string | undefined =>
  recordedLine(textOf(dict, key)?.slice(0, MAX_LINE_LENGTH) ?? '') || undefined;

export const MAX_LINE_LENGTH = 255;

export function flagOf(dict: PlistDict, key: string): boolean | undefined {
  const value = dict[key];
  return typeof value === 'boolean' ? value : undefined;
}

export function numberOf(dict: PlistDict, key: string): number | undefined {
  const value = dict[key];
  return typeof value === 'number' ? value : undefined;
}

export function dataOf(dict: PlistDict, key: string): Buffer | undefined {
  const value = dict[key];
  return value instanceof Uint8Array ? Buffer.from(value) : undefined;
}

export function dictOf(dict: PlistDict, key: string): PlistDict | undefined {
  const value = dict[key];
  return isDict(value) ? value : undefined;
}

function itemsOf(dict: PlistDict, key: string): readonly PlistValue[] {
  const value = dict[key];
  return Array.isArray(value) ? (value as readonly PlistValue[]) : [];
}

export const dictsOf = (dict: PlistDict, key: string): PlistDict[] => itemsOf(dict, key).filter(isDict);

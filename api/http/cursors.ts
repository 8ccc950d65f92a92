// Cursors of pages: opaque to callers, checked when they come back.
import { z } from 'zod';
import { ProblemError } from './problem.ts';
import { jsonOf } from '../../domain/json.ts';

export const writeCursor = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** @throws ProblemError `request.invalid` for a cursor that this list did not give out */
export function readCursor<Parts>(schema: z.ZodType<Parts>, cursor: string | undefined): Parts | undefined {
  if (cursor === undefined) return undefined;
  const read = schema.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString()));
  if (read.success) return read.data;
  throw new ProblemError('request.invalid', {
    errors: [{ field: 'after', reason: 'is not a `next` value of this list', code: 'invalid_format' }],
  });
}

/** [a time as PostgreSQL writes it, an id] */
const pgTime = z.string().regex(/^(-?infinity|\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?)$/);
export const timeCursor = z.tuple([pgTime, z.uuid()]);
export const runCursor = z.tuple([pgTime, z.string().max(100)]);
export const numberCursor = z.tuple([z.number().int().nonnegative()]);

export const idCursor = z.tuple([z.uuid()]);

/** A page and its `next`: one row more was asked for than is shown. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (last: Row) => string,
): { shown: readonly Row[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { shown, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

// The small schemas that the whole contract is made of.
import { z } from 'zod';
import { FAILURES, type FailureCode } from '../../domain/failures.ts';

// PostgreSQL stores no NUL, and nobody types control characters into a name.
const PLAIN = /^[^\u0000-\u001f\u007f]*$/;

/** One line of text without control characters, trimmed. */
export const line = (max = 200, min = 1) =>
  z.string().trim().min(min).max(max).regex(PLAIN, 'contains control characters');

/** Something pasted: kept exactly as it is, without control characters. */
export const secretText = (max = 4_096, min = 1) =>
  z.string().min(min).max(max).regex(PLAIN, 'contains control characters').meta({ format: 'password' });

/** Six digits of an authenticator app, or a recovery code; blanks and dashes as people type them. */
export const oneTimeCode = secretText(40).meta({ format: 'password' });

/** A file's content: PEM, base64 or JSON; any text but NUL. */
export const fileText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\u0000]*$/, 'contains a NUL character');

/** A certificate with its key: PEM, or PKCS#12 in base64 with its password. `others`: what is given beside it. */
export const certificateFile = <Others extends z.ZodRawShape>(others: Others) =>
  z.union([
    z.strictObject({ pem: fileText(64 * 1024).meta({ format: 'password' }), ...others }),
    z.strictObject({
      pkcs12: z
        .base64()
        .max(128 * 1024)
        .meta({ format: 'password' }),
      password: secretText(1_024, 0),
      ...others,
    }),
  ]);

export const id = z.uuid();
export const idParams = z.object({ id });

/** Handlers may give a Date; it travels as ISO 8601 in UTC. */
export const instant = z
  .union([z.date(), z.string()])
  .transform((time) => (typeof time === 'string' ? time : time.toISOString()))
  .pipe(z.iso.datetime());

export const limit = z.coerce.number().int().min(1).max(500).default(50);
/** Opaque: the `next` of the page before. */
export const cursor = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[A-Za-z0-9_-]+$/);

/** What an action on a filter takes at once. `next` of its answer is where the rest begins; null: there is no rest. */
export const portion = {
  /** The `next` of the portion before, with the same filter. */
  after: cursor.optional(),
  limit: z.number().int().min(1).max(100_000).default(100_000),
};

/** A page of a list; `next` is null at its end. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });

export const list = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) });

const CODES = Object.keys(FAILURES) as [FailureCode, ...FailureCode[]];
export const failureCode = z.enum(CODES).meta({ id: 'FailureCode' });

/** A catalogued failure in words. */
export const Failure = z
  .object({
    code: failureCode,
    title: z.string(),
    remedy: z.string(),
    owner: z.enum(['nobody', 'admin', 'user', 'operator']),
    isRetried: z.boolean(),
  })
  .meta({ id: 'Failure' });

/** What may be shown of a secret. */
export const SecretSet = z
  .object({ setAt: instant, setBy: z.string(), lastUsedAt: instant.nullable() })
  .meta({ id: 'SecretSet' });

/** RFC 9457. `type` is the code's page in the list of errors, `code` the same for programs. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: failureCode,
    remedy: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ field: z.string(), reason: z.string(), code: z.string() })).optional(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof Problem>;

// Reads the server token file (".vpptoken") of a location, as Apple Business Manager gives it out.
import { z } from 'zod';
import { CataloguedError } from '../../domain/failures.ts';
import { jsonOf } from '../../domain/json.ts';

export interface ServerToken {
  /** The whole file content without line breaks: what goes into the Authorization header. A secret. */
  readonly token: string;
  readonly organization: string;
  readonly expiresAt: Date;
}

const Content = z.object({ token: z.string().min(1), expDate: z.string(), orgName: z.string().default('') });

/** @throws CataloguedError `apps_and_books.token_invalid` */
export function readToken(content: string | Uint8Array): ServerToken {
  const token = Buffer.from(content).toString('utf8').replace(/\s+/g, '');
  const read = Content.safeParse(jsonOf(Buffer.from(token, 'base64').toString('utf8')));
  // expDate comes as 2027-09-26T08:30:39+0000, whose zone without a colon is not ISO 8601's extended form.
  const expires = read.success ? Date.parse(read.data.expDate.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) : NaN;
  if (!read.success || Number.isNaN(expires)) throw new CataloguedError('apps_and_books.token_invalid');
  return { token, organization: read.data.orgName, expiresAt: new Date(expires) };
}

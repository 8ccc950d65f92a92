// The access token of an integration, shared by all processes: sealed, and only for the credentials it was given for.
import { createHash } from 'node:crypto';
import type { Sealer } from '../../../domain/sealer.ts';
import type { Sql } from '../base/database.ts';

interface Token {
  readonly value: string;
  readonly scopes: readonly string[];
  readonly leftMs: number;
  /** The private key to which the token is bound, as a JWK. */
  readonly dpopKey?: object | undefined;
}

const contextOf = (integrationId: string): string => `okta-token:${integrationId}`;
const hashOf = (value: string): Buffer => createHash('sha256').update(value).digest();

/** @param version of the credentials: a token of others is not taken */
export const tokenStore = (sql: Sql, sealer: Sealer, integrationId: string, version: string) => ({
  async read(): Promise<Token | undefined> {
    const [row] = await sql.query<{ sealed: Buffer; leftMs: number }>(
      `select sealed, (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as left_ms from okta_tokens
        where integration_id = $1 and version = $2 and expires_at > clock_timestamp()`,
      [integrationId, version],
    );
    if (row === undefined) return undefined;
    const content = open(sealer, row.sealed, integrationId);
    return content && { ...content, leftMs: row.leftMs };
  },

  async save({ leftMs, ...content }: Token): Promise<void> {
    const sealed = sealer.seal(Buffer.from(JSON.stringify(content)), contextOf(integrationId));
    await sql.query(
      `insert into okta_tokens (integration_id, version, sealed, value_hash, expires_at)
       values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
       on conflict (integration_id) do update set version = excluded.version, sealed = excluded.sealed, value_hash = excluded.value_hash,
         expires_at = excluded.expires_at`,
      [integrationId, version, Buffer.from(sealed), hashOf(content.value), leftMs / 1000],
    );
  },

  async delete(value: string): Promise<void> {
    await sql.query('delete from okta_tokens where integration_id = $1 and value_hash = $2', [
      integrationId,
      hashOf(value),
    ]);
  },
});

/** One that cannot be opened (another key ring, a row of another database) is fetched anew. */
function open(sealer: Sealer, sealed: Buffer, integrationId: string): Omit<Token, 'leftMs'> | undefined {
  try {
    const text = Buffer.from(sealer.open(sealed, contextOf(integrationId))).toString('utf8');
    return JSON.parse(text) as Omit<Token, 'leftMs'>;
  } catch {
    return undefined;
  }
}

// The organization that runs this installation, as its users see it when they enroll: a name and a logo.
import { createHash } from 'node:crypto';
import type { Sql } from './database.ts';
import { readInstanceSetting, writeInstanceSetting } from './instance-settings.ts';

export interface Organization {
  readonly name: string | null;
  /** SHA-256 of the logo in hexadecimal; null: none. */
  readonly logoHash: string | null;
}

const NAME = 'organization';
/** Apart: whoever needs the name does not read the picture. */
const LOGO = 'organization_logo';

export async function readOrganization(sql: Sql): Promise<Organization> {
  return (await readInstanceSetting<Organization>(sql, NAME)) ?? { name: null, logoHash: null };
}

/** PNG; undefined: none. */
export async function readOrganizationLogo(sql: Sql): Promise<Buffer | undefined> {
  const { png = null } = (await readInstanceSetting<{ readonly png: string | null }>(sql, LOGO)) ?? {};
  return png === null ? undefined : Buffer.from(png, 'base64');
}

/** @param logo PNG; null: none any more; undefined: stays */
export async function writeOrganization(
  sql: Sql,
  name: string | null,
  logo: Uint8Array | null | undefined,
): Promise<Organization> {
  const { logoHash } = await readOrganization(sql);
  const organization = { name, logoHash: logo === undefined ? logoHash : logo && hashOf(logo) };
  await writeInstanceSetting(sql, NAME, organization);
  if (logo !== undefined)
    await writeInstanceSetting(sql, LOGO, { png: logo && Buffer.from(logo).toString('base64') });
  return organization;
}

const hashOf = (logo: Uint8Array): string => createHash('sha256').update(logo).digest('hex');

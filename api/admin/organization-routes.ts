// Name and logo of the organization.
import { appendAudit } from '../../adapters/store/base/audit.ts';
import {
  readOrganization,
  readOrganizationLogo,
  writeOrganization,
} from '../../adapters/store/base/organization.ts';
import { changesBetween } from '../../domain/audit-change.ts';
import { readLogo } from '../../domain/logo.ts';
import type { organization } from '../contract/organization.ts';
import { ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

export const organizationHandlers = (): Handlers<typeof organization> => ({
  getOrganization: ({ sql }) => readOrganization(sql),

  getOrganizationLogo: async ({ sql, response }) => {
    const logo = await readOrganizationLogo(sql);
    if (logo === undefined) throw new ProblemError('request.not_found');
    response.status(200).type('image/png').send(logo);
    return undefined;
  },

  setOrganization: async ({ sql, body, caller }) => {
    const before = await readOrganization(sql);
    const after = await writeOrganization(sql, body.name, logoOf(body.logo));
    const changes = changesBetween(shown(before), shown(after));
    await appendAudit(sql, { actor: caller.actor, action: 'organization.changed', detail: { changes } });
    return after;
  },
});

/** @throws ProblemError no PNG, or a larger one than the page shows */
function logoOf(base64: string | null | undefined): Uint8Array | null | undefined {
  if (base64 == null) return base64;
  const logo = readLogo(Buffer.from(base64, 'base64'));
  if (logo !== undefined) return logo;
  throw new ProblemError('request.invalid', {
    errors: [{ field: 'logo', reason: LOGO_RULE, code: 'request.invalid' }],
  });
}

const LOGO_RULE = 'Upload a PNG of at most 100 KB and 1,024 pixels per side.';

/** The activity log says that the logo changed, and not its hash. */
const shown = ({ name, logoHash }: { readonly name: string | null; readonly logoHash: string | null }) => ({
  name,
  logo: logoHash === null ? null : `PNG ${logoHash.slice(0, 8)}`,
});

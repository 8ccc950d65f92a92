// Which role a person of the identity provider has in Odette: the highest that one of their groups gives; none by default.
export const ROLES = ['viewer', 'operator', 'admin'] as const;
/** Each role may do what the one before it may. */
export type Role = (typeof ROLES)[number];

/** The values of the claim (groups, as a rule) that give each role. */
export type RoleRules = Readonly<Record<Role, readonly string[]>>;

/** A claim is a list of texts or one text; whatever else it is gives nothing. Compared exactly: `Admins` is not `admins`. */
export function roleOf(claim: unknown, rules: RoleRules): Role | undefined {
  const held = (Array.isArray(claim) ? (claim as unknown[]) : [claim]).filter(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  return [...ROLES].reverse().find((role) => rules[role].some((group) => held.includes(group)));
}

// Checks a payload of one of Okta's own preference domains against the manifest of that domain (ProfileManifests).
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDict, parsePlistDict, type PlistDict, type PlistValue } from '../../adapters/mdm/plist.ts';

const ROOT = fileURLToPath(new URL('../../../shared/reference/okta/manifests/', import.meta.url));

export const hasOktaManifests = existsSync(ROOT);
if (!hasOktaManifests)
  console.log("Okta's manifests are not beside this clone: what needs them is left out.");

/** Unknown keys, wrong types, values outside a list, and missing keys that are always needed. */
export function problemsOfOktaPayload(payload: PlistDict): string[] {
  const domain = String(payload['PayloadType']);
  if (!existsSync(`${ROOT}${domain}.plist`)) return [`${domain}: no manifest`];
  const manifest = parsePlistDict(readFileSync(`${ROOT}${domain}.plist`));
  const keys = ((manifest['pfm_subkeys'] ?? []) as PlistValue[]).filter(isDict);
  const problems = Object.entries(payload).flatMap(([name, value]) => {
    const key = keys.find((each) => each['pfm_name'] === name);
    if (key === undefined) return [`${domain} ${name}: unknown key`];
    if (kindOf(value) !== key['pfm_type']) return [`${domain} ${name}: wrong type`];
    const values = key['pfm_range_list'] as PlistValue[] | undefined;
    return values && !values.includes(value ?? '')
      ? [`${domain} ${name}: ${String(value)} not in the list`]
      : [];
  });
  const missing = keys.filter((key) => {
    const name = key['pfm_name'];
    return key['pfm_require'] === 'always' && typeof name === 'string' && payload[name] === undefined;
  });
  return [...problems, ...missing.map((key) => `${domain} ${String(key['pfm_name'])}: missing`)];
}

const kindOf = (value: PlistValue | undefined): string =>
  typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'real') : typeof value;

// Checks a payload of one of Okta's own preference domains against the manifest of that domain.
import type { PlistDict, PlistValue } from '../adapters/mdm/plist.ts';
import { oktaManifests } from './okta-facts.ts';

const manifests = oktaManifests();

/** Unknown keys, wrong types, values outside a list, and missing keys that are always needed. */
export function problemsOfOktaPayload(payload: PlistDict): string[] {
  const domain = String(payload['PayloadType']);
  const keys = manifests[domain]?.keys;
  if (keys === undefined) return [`${domain}: no manifest`];
  const problems = Object.entries(payload).flatMap(([name, value]) => {
    const key = keys.find((each) => each.name === name);
    if (key === undefined) return [`${domain} ${name}: unknown key`];
    if (typeOf(value) !== key.type) return [`${domain} ${name}: wrong type`];
    const isListed = key.values === undefined || key.values.some((each) => each === value);
    return isListed ? [] : [`${domain} ${name}: ${String(value)} not in the list`];
  });
  const missing = keys.filter(({ name, required }) => required === true && payload[name] === undefined);
  return [...problems, ...missing.map(({ name }) => `${domain} ${name}: missing`)];
}

const typeOf = (value: PlistValue | undefined): string =>
  typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'real') : typeof value;

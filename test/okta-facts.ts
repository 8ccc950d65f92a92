// Reads what Okta publishes about its API and about Okta Verify's preferences (scripts/write-okta-facts.ts writes it).
import { readFileSync } from 'node:fs';

import type { OktaManifest, OktaOpenApi } from '../scripts/write-okta-facts.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8'));

export const oktaOpenApi = (part: 'management' | 'oauth-token'): OktaOpenApi =>
  (read('okta-openapi') as Record<typeof part, OktaOpenApi>)[part];

export const oktaManifests = (): Readonly<Record<string, OktaManifest>> =>
  read('okta-manifests') as Record<string, OktaManifest>;

// Recorded messages of real devices; tests say so when they are not beside the clone.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../shared/reference/vectors/', import.meta.url));

export const hasVectors = existsSync(ROOT);
if (!hasVectors) console.log('The recorded messages are not beside this clone: what needs them is left out.');

export const vector = (name: string): Buffer => readFileSync(`${ROOT}${name}`);

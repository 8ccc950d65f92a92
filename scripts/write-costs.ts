// Writes docs/costs.md: `npx tsx scripts/write-costs.ts`.
import { writeFileSync } from 'node:fs';
import { costsPage } from './costs-page.ts';

writeFileSync(new URL('../docs/costs.md', import.meta.url), costsPage());

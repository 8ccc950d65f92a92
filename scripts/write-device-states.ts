// Writes docs/device-states.md: `npx tsx scripts/write-device-states.ts`.
import { writeFileSync } from 'node:fs';
import { deviceStatesPage } from './device-states-page.ts';

writeFileSync(new URL('../docs/device-states.md', import.meta.url), deviceStatesPage());

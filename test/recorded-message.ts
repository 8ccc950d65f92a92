// Messages that real devices sent to other servers, byte for byte (test/data/README.md says where they are from).
import { readFileSync } from 'node:fs';

/** @param name 'nanomdm/TokenUpdate.1.plist' */
export const recordedMessage = (name: string): Buffer =>
  readFileSync(new URL(`data/recorded/${name}`, import.meta.url));

// Names that derive from what they name (UUID version 5, RFC 9562 §5.5): CommandUUIDs, deliveries, PayloadUUIDs, revisions.
import { createHash } from 'node:crypto';

/** Odette's own namespace for version 5 UUIDs. */
const NAMESPACE = Buffer.from('5b3a9c0e7f1d4a52b86e2d90c4417a63', 'hex');

export function uuidFromName(name: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(name, 'utf8').digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What makes a command the same one: the run (not its resets), the step, the revision and the attempt. */
export interface CommandName {
  readonly workflowId: string;
  readonly firstRunId: string;
  readonly step: string;
  readonly revision: string;
  readonly attempt: number;
}

/** The same after a retry and after a reset, new in a new run. */
export const commandUuid = (name: CommandName): string =>
  uuidFromName(
    ['command', name.workflowId, name.firstRunId, name.step, name.revision, String(name.attempt)].join('\n'),
  );

/** A delivery of a certificate profile: the name of the run and its number in it. */
export const deliveryId = (workflowId: string, firstRunId: string, number: number): string =>
  uuidFromName(['delivery', workflowId, firstRunId, String(number)].join('\n'));

/** A profile's PayloadUUID: new with each revision, so that ProfileList proves which one is on the device. */
export const payloadUuid = (identifier: string, revision: string): string =>
  uuidFromName(['payload', identifier, revision].join('\n'));

/** The hash of what something is made of. Secrets take part by handle and version only. */
export const revisionOf = (inputs: string): string =>
  createHash('sha256').update(inputs, 'utf8').digest('hex').slice(0, 32);

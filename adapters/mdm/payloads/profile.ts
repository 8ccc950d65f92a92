// The envelope of configuration profiles (Apple, TopLevel.yaml and CommonPayloadKeys.yaml): stable identifiers, and UUIDs that
// say which revision it is.
import { createHash } from 'node:crypto';
import type { PayloadScope } from '../../../domain/profile-identifier.ts';
import { buildPlist, type PlistDict } from '../plist.ts';

/** One payload before it has its place in a profile. */
export interface Payload {
  readonly type: string;
  /** Last part of its identifier; once in a profile. */
  readonly name: string;
  readonly displayName: string;
  readonly content: PlistDict;
}

export interface ProfileParts {
  /** Decides whether a device replaces a profile or adds one. */
  readonly identifier: string;
  /** New with each revision: ProfileList proves by it which one is on the device. */
  readonly uuid: string;
  readonly displayName: string;
  readonly description?: string;
  /** macOS only: without it a profile counts for one user. */
  readonly scope?: PayloadScope;
  readonly payloads: readonly Payload[];
}

/** A profile ready to be signed and sent. */
export interface Profile {
  readonly identifier: string;
  readonly uuid: string;
  readonly displayName: string;
  readonly xml: Buffer;
}

/** The unsigned profile; the same parts always give the same bytes. */
function buildProfile(parts: ProfileParts): Buffer {
  return buildPlist({
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: parts.identifier,
    PayloadUUID: parts.uuid,
    PayloadDisplayName: parts.displayName,
    PayloadDescription: parts.description,
    PayloadOrganization: ORGANIZATION,
    PayloadScope: parts.scope,
    PayloadContent: parts.payloads.map((payload) => ({
      ...payload.content,
      PayloadType: payload.type,
      PayloadVersion: 1,
      PayloadIdentifier: `${parts.identifier}.${payload.name}`,
      PayloadUUID: payloadUuid(parts.uuid, payload.name),
      PayloadDisplayName: payload.displayName,
      PayloadOrganization: ORGANIZATION,
    })),
  });
}

export const profileOf = (parts: ProfileParts): Profile => ({
  identifier: parts.identifier,
  uuid: parts.uuid,
  displayName: parts.displayName,
  xml: buildProfile(parts),
});

const ORGANIZATION = 'Odette';

/** A UUID version 5 of the payload's name in the profile's UUID as namespace (RFC 9562 §5.5). */
export function payloadUuid(profileUuid: string, name: string): string {
  const namespace = Buffer.from(profileUuid.replaceAll('-', ''), 'hex');
  const hash = createHash('sha1').update(namespace).update(name, 'utf8').digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

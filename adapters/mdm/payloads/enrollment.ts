// The profile that enrolls a device: its identity by SCEP from Odette's own authority, and the MDM payload that uses it.
import { randomUUID } from 'node:crypto';
import { accessRightsOf, type AccessRightsPreset } from '../../../domain/access-rights.ts';
import { ENROLLMENT_PROFILE } from '../../../domain/profile-identifier.ts';
import { payloadUuid, profileOf, type Payload, type Profile } from './profile.ts';

export interface Enrollment {
  /** One address serves check-in and commands. It, and the topic, can never change for an enrolled device. */
  readonly mdmUrl: string;
  readonly scepUrl: string;
  /** Of the push certificate: `com.apple.mgmt.…`. */
  readonly topic: string;
  /** What a device lets its server do, and what its person reads while installing. No update may add a right. */
  readonly accessRights: AccessRightsPreset;
  /** Good for one certificate. */
  readonly challenge: string;
}

/** Below the one address of this installation. @param publicUrl https */
export function enrollmentAddresses(publicUrl: string): Pick<Enrollment, 'mdmUrl' | 'scepUrl'> {
  const base = publicUrl.replace(/\/+$/, '');
  return { mdmUrl: `${base}/mdm`, scepUrl: `${base}/scep` };
}

/** Every profile has UUIDs of its own: a renewed identity is a new one, not an update of the old. */
export function enrollmentProfile(enrollment: Enrollment): Profile {
  const uuid = randomUUID();
  return profileOf({
    identifier: ENROLLMENT_PROFILE,
    uuid,
    displayName: 'Odette enrollment',
    description: 'Lets your organization install and remove profiles and apps on this device.',
    scope: 'System',
    payloads: [identity(enrollment), mdm(enrollment, payloadUuid(uuid, IDENTITY))],
  });
}

const IDENTITY = 'identity';

const identity = ({ scepUrl, challenge }: Enrollment): Payload => ({
  type: 'com.apple.security.scep',
  name: IDENTITY,
  displayName: 'Device identity',
  content: {
    PayloadContent: {
      URL: scepUrl,
      Subject: [[['O', 'Odette']], [['CN', 'device identity']]],
      Challenge: challenge,
      'Key Type': 'RSA',
      'Key Usage': SIGN_AND_ENCRYPT,
      Keysize: 2048,
      KeyIsExtractable: false,
    },
  },
});

const SIGN_AND_ENCRYPT = 5;
/** Neither may be added later (the first one) without every device enrolling again, so both are there from the start. */
const SERVER_CAPABILITIES = ['com.apple.mdm.per-user-connections', 'com.apple.mdm.bootstraptoken'];

const mdm = ({ mdmUrl, topic, accessRights }: Enrollment, identityUuid: string): Payload => ({
  type: 'com.apple.mdm',
  name: 'mdm',
  displayName: 'Device management',
  content: {
    IdentityCertificateUUID: identityUuid,
    Topic: topic,
    ServerURL: mdmUrl,
    CheckInURL: mdmUrl,
    SignMessage: true,
    AccessRights: accessRightsOf(accessRights),
    ServerCapabilities: SERVER_CAPABILITIES,
    CheckOutWhenRemoved: true,
  },
});

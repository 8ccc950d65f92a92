// A Mac, iPhone or iPad, and the platform (Okta's word) it belongs to.

/** Other: an Apple TV, a Vision Pro, or a device that does not say what it is. It may enroll, and gets nothing. */
export const DEVICE_FAMILIES = ['Mac', 'iPhone', 'iPad', 'Other'] as const;
export type DeviceFamily = (typeof DEVICE_FAMILIES)[number];

/** As the tables know it. */
export type EnrollmentStatus = 'authenticated' | 'enrolled' | 'checked_out' | 'unreachable';

/** Of devices that are told to do something. An unreachable one (no push gets through) still takes its commands when it calls by itself. */
export const ENROLLED_STATUSES: readonly EnrollmentStatus[] = ['enrolled', 'unreachable'];

export const isEnrolled = (status: EnrollmentStatus): boolean => ENROLLED_STATUSES.includes(status);

/** Why Odette cannot wake a device with what its Authenticate or TokenUpdate said. */
export type PushProblem = 'no_push_token' | 'other_topic';

/** As in Okta's Device integrations: iOS covers iPadOS. */
export type Platform = 'macOS' | 'iOS';

export const platformOf = (family: DeviceFamily): Platform => (family === 'Mac' ? 'macOS' : 'iOS');

/** The virtual Macs of VMware and Parallels carry their makers' names. */
const MAC = /^(i?Mac|VirtualMac|Xserve|VMware|Parallels)/;

/** The family from Apple's ProductName ("Mac14,2", "MacBookPro18,1", "iPhone15,2", "iPad13,4", "VirtualMac2,1"). */
export function familyOf(productName: string): DeviceFamily {
  if (productName.startsWith('iPhone') || productName.startsWith('iPod')) return 'iPhone';
  if (productName.startsWith('iPad')) return 'iPad';
  return MAC.test(productName) ? 'Mac' : 'Other';
}

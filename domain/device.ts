// A Mac, iPhone or iPad, and the platform (Okta's word) it belongs to.

export type DeviceFamily = 'Mac' | 'iPhone' | 'iPad';

/** As in Okta's Device integrations: iOS covers iPadOS. */
export type Platform = 'macOS' | 'iOS';

export const platformOf = (family: DeviceFamily): Platform => (family === 'Mac' ? 'macOS' : 'iOS');

/** The family from Apple's ProductName ("Mac14,2", "MacBookPro18,1", "iPhone15,2", "iPad13,4", "VirtualMac2,1"). */
export function familyOf(productName: string): DeviceFamily {
  if (productName.startsWith('iPhone') || productName.startsWith('iPod')) return 'iPhone';
  if (productName.startsWith('iPad')) return 'iPad';
  return 'Mac';
}

// Which devices Odette manages, by the product name that Apple gives them.
import { expect, test } from 'vitest';
import { familyOf } from './device.ts';

test.each([
  ['Mac14,2', 'Mac'],
  ['MacBookPro18,3', 'Mac'],
  ['Macmini9,1', 'Mac'],
  ['iMac18,3', 'Mac'],
  ['iMacPro1,1', 'Mac'],
  ['VirtualMac2,1', 'Mac'],
  ['VMware7,1', 'Mac'],
  ['Parallels16,1', 'Mac'],
  ['iPhone17,3', 'iPhone'],
  ['iPod9,1', 'iPhone'],
  ['iPad14,8', 'iPad'],
  ['AppleTV14,1', 'Other'],
  ['RealityDevice14,1', 'Other'],
  ['AudioAccessory6,1', 'Other'],
  ['Watch7,1', 'Other'],
  ['', 'Other'],
])('%s is %s', (productName, family) => {
  expect(familyOf(productName)).toBe(family);
});

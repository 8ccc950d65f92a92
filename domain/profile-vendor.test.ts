// What the names on a device say about who put it there.
import { expect, test } from 'vitest';
import { vendorOfCertificate, vendorOfProfile } from './profile-vendor.ts';

const UUID = '54bef6b3-b25e-44b4-89fd-d528d73939e4';
const JAMF_MDM = '00000000-0000-0000-A000-4A414D460003';

test.each([
  [`com.kandji.profile.custom.${UUID}`, [], 'Iru (Kandji)'],
  ['io.kandji.globalvariables', [], 'Iru (Kandji)'],
  [JAMF_MDM, [], 'Jamf Pro'],
  ['com.jamfsoftware.tcc.management', [], 'Jamf Pro'],
  [UUID.toUpperCase(), [JAMF_MDM], 'Jamf Pro'],
  [UUID.toUpperCase(), ['com.jamfsoftware.tcc.management'], 'Jamf Pro'],
  // Many tools name profiles by UUIDs.
  [UUID, ['com.kandji.profile.mdmprofile'], undefined],
  ['com.fleetdm.conditional-access-okta', [], 'Fleet'],
  ['com.example.com.fleetdm.x', [], undefined],
  ['com.acme.okta', [JAMF_MDM], undefined],
])('%s beside %j: %s', (identifier, others, vendor) => {
  expect(vendorOfProfile(identifier, [identifier, ...others])).toBe(vendor);
});

test.each([
  ['C02X managementAttestation', [`fleet-a${UUID}`], 'Fleet'],
  [`C02X fleet-a${UUID}`, [], 'Fleet'],
  ['fleet-manager', ['fleet'], undefined],
  ['C02X', ['odette-1'], undefined],
])('a certificate of %s, %j: %s', (commonName, organizationalUnits, vendor) => {
  expect(vendorOfCertificate({ commonName, organizationalUnits })).toBe(vendor);
});

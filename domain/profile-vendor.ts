// Which other management tool put a profile or a certificate on a device, as far as its names say so.

const IRU = 'Iru (Kandji)';
const JAMF = 'Jamf Pro';
const FLEET = 'Fleet';

/**
 * Starts of PayloadIdentifier. Iru: `com.kandji.profile.custom.UUID` (kandji-inc/iructl wiki, "Custom Profiles"), and `io.kandji.`, the domain of its
 * agent ("Kandji Agent Settings Profile", support.kandji.io). Jamf Pro: `com.jamfsoftware.tcc.management`, and its MDM profile
 * 00000000-0000-0000-A000-4A414D460003 (jamf/ReEnroller `ViewController.swift`), where 4A414D46 is "JAMF". Fleet: fleetdm/fleet
 * `server/mdm/apple/mobileconfig/mobileconfig.go`; a profile that a Fleet admin adds keeps the identifier that it has.
 */
const STARTS: readonly (readonly [start: RegExp, vendor: string])[] = [
  [/^(com|io)\.kandji\./i, IRU],
  [/^com\.jamf(software)?\./i, JAMF],
  [/^00000000-0000-0000-A000-4A414D46/i, JAMF],
  [/^com\.fleetdm\./i, FLEET],
];
/** Jamf Pro names the profiles that an admin makes by a UUID; so do others, so it counts only beside a profile that is surely Jamf's. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What Fleet puts for $FLEET_VAR_SCEP_RENEWAL_ID: `fleet-` and the profile's UUID with a letter before it (`server/mdm/apple/profile_processor.go`). */
const FLEET_RENEWAL = /\bfleet-[a-z]?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;

/**
 * @param listed identifiers of all profiles of the device
 * @returns the product's name; undefined: the identifier names none
 */
export function vendorOfProfile(identifier: string, listed: readonly string[]): string | undefined {
  const named = vendorNamedBy(identifier);
  if (named !== undefined || !UUID.test(identifier)) return named;
  return listed.some((each) => vendorNamedBy(each) === JAMF) ? JAMF : undefined;
}

const vendorNamedBy = (identifier: string): string | undefined =>
  STARTS.find(([start]) => start.test(identifier))?.[1];

/** @returns the name of the product that requested the certificate; undefined: its subject names none */
export const vendorOfCertificate = (subject: {
  readonly commonName: string;
  readonly organizationalUnits: readonly string[];
}): string | undefined =>
  [subject.commonName, ...subject.organizationalUnits].some((text) => FLEET_RENEWAL.test(text))
    ? FLEET
    : undefined;

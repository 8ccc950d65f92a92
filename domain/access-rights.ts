// What a device lets its MDM server do: chosen once for a push certificate's topic, because an enrolled device accepts no right that
// is added later (Apple, com.apple.mdm AccessRights). The reason for each bit stands in docs/decisions/0011-access-rights.md.

export const ACCESS_RIGHTS = {
  inspectProfiles: 1,
  installProfiles: 2,
  lockAndRemovePasscode: 4,
  eraseDevice: 8,
  queryDevice: 16,
  queryNetwork: 32,
  inspectProvisioningProfiles: 64,
  installProvisioningProfiles: 128,
  inspectApps: 256,
  queryRestrictions: 512,
  querySecurity: 1024,
  changeSettings: 2048,
  manageApps: 4096,
} as const;

/** trust_only: what device trust needs. full: all of Apple's rights, so that another tool may lock and erase devices later. */
export const ACCESS_RIGHTS_PRESETS = ['trust_only', 'full'] as const;
export type AccessRightsPreset = (typeof ACCESS_RIGHTS_PRESETS)[number];

const {
  inspectProfiles,
  installProfiles,
  queryDevice,
  inspectApps,
  querySecurity,
  changeSettings,
  manageApps,
} = ACCESS_RIGHTS;

const BITS: Readonly<Record<AccessRightsPreset, readonly number[]>> = {
  trust_only: [
    inspectProfiles,
    installProfiles,
    queryDevice,
    inspectApps,
    querySecurity,
    changeSettings,
    manageApps,
  ],
  full: Object.values(ACCESS_RIGHTS),
};

/** The value of AccessRights in the enrollment profile. */
export const accessRightsOf = (preset: AccessRightsPreset): number =>
  BITS[preset].reduce((all, bit) => all | bit, 0);

// Which profile or app a command is about, for people: its request type alone does not say.

const PROFILES: Readonly<Record<string, string>> = {
  settings: 'Settings profile',
  sso: 'SSO extension profile',
};

const REQUEST_TYPES: Readonly<Record<string, string>> = {
  InstallApplication: 'Okta Verify',
  RemoveApplication: 'Okta Verify',
  ManagedApplicationList: 'Okta Verify',
  InstalledApplicationList: 'Okta Verify',
  ApplicationConfiguration: 'App configuration of Okta Verify',
  RemoveProfile: 'A profile that Odette removes',
};

/** @param step of the command: `rollout.profile.sso`, `certificate.a`, … */
export function commandSubject(step: string, requestType: string): string {
  if (requestType !== 'InstallProfile') return REQUEST_TYPES[requestType] ?? requestType;
  const kind = /^rollout\.profile\.(\w+)$/.exec(step)?.[1];
  return (kind === undefined ? undefined : PROFILES[kind]) ?? 'Certificate profile';
}

// The pages of the console, of the device listener and of the sandbox, for what is said of all of them: tests and screenshots.
export const PUBLIC_PAGES: Readonly<Record<string, string>> = {
  'sign-in': '/sign-in',
  'first-run': '/first-run#an-old-link',
  help: '/help/',
  'help-page': '/help/operations-guide',
};

/** On the listener for devices: what a user opens to enroll. */
export const DEVICE_PAGES: Readonly<Record<string, string>> = { enroll: '/enroll' };

/** On the sandbox's management port. */
export const SANDBOX_PAGES: Readonly<Record<string, string>> = {
  sandbox: '/',
};

/** The admin console of a pretend Okta tenant, on the tenant's own listener. */
export const OKTA_PAGES: Readonly<Record<string, string>> = {
  'okta-dashboard': '/admin/dashboard',
  'okta-devices': '/admin/devices',
  'okta-apps': '/admin/apps/active',
  'okta-integrations': '/admin/apps/api-services',
  'okta-catalogue': '/admin/apps/api-services/add',
  'okta-authorize': '/admin/apps/api-services/authorize',
  'okta-authenticators': '/admin/access/authenticators',
  'okta-device-integrations': '/admin/access/device-integrations',
  'okta-device-access': '/admin/access/device-integrations?tab=device-access',
  'okta-administrators': '/admin/access/administrators',
};

/** What is there while a page of the sandbox has not drawn what it knows. */
export const NOT_DRAWN = '#now:empty, #host:empty';

export const consolePages = (ids: {
  readonly integration: string;
  readonly setup: string;
  readonly blueprint: string;
  readonly device: string;
  /** Where a change is on its way. */
  readonly fleetRollout?: string | undefined;
}): Record<string, string> => ({
  overview: '/',
  integrations: '/integrations',
  discover: '/integrations/discover',
  integration: `/integrations/${ids.integration}`,
  readiness: `/integrations/${ids.integration}/readiness`,
  observed: `/integrations/${ids.integration}/observed`,
  rotation: `/integrations/${ids.integration}/rotation`,
  ...(ids.fleetRollout === undefined
    ? {}
    : { 'fleet-rollout': `/fleet-rollouts/${ids.fleetRollout}?state=completed` }),
  setup: `/setups/${ids.setup}`,
  channels: '/channels',
  library: '/library',
  'okta-verify': `/library/okta-verify?integration=${ids.integration}`,
  blueprints: '/blueprints',
  blueprint: `/blueprints/${ids.blueprint}`,
  devices: '/devices',
  'devices-empty': '/devices?search=no-such-device',
  device: `/devices/${ids.device}`,
  doctor: '/doctor',
  rollouts: '/rollouts',
  renewals: '/renewals',
  activity: '/activity',
  'settings-push': '/settings?tab=push',
  'settings-licenses': '/settings?tab=licenses',
  'settings-organization': '/settings?tab=organization',
  'settings-notifications': '/settings?tab=notifications',
  'settings-people': '/settings?tab=people',
  'settings-tokens': '/settings?tab=tokens',
  'settings-about': '/settings?tab=about',
  account: '/account',
  'no-such-page': '/no-such-page',
});

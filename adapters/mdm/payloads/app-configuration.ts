// Okta Verify's managed app configuration on iPhones and iPads: a dictionary that travels with InstallApplication or Settings
// (Okta, "Managed app configurations for iOS devices"). It holds the platform's secret key.
import type { PlistDict } from '../plist.ts';

export const appConfiguration = (values: {
  readonly orgUrl: string;
  readonly managementHint: string;
}): PlistDict => ({
  'OktaVerify.OrgUrl': values.orgUrl,
  managementHint: values.managementHint,
});

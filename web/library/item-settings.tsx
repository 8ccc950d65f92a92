// The settings of the library item that an admin may change.
import { Checkbox, NativeSelect, Stack, Textarea } from '@mantine/core';
import {
  CERTIFICATE_SCOPES,
  ENROLLMENT_OPTIONS,
  LAUNCH_OPTIONS,
  readConfiguration,
  type ItemDraft,
} from './item-draft.ts';

const SCOPE_TEXT =
  'System: the certificate is on the Mac before anyone logs in. User: the login keychain, where Okta Verify looks first; Odette delivers, renews and proves the certificate only while the user is logged in. If you change this, Odette removes the old certificate after it has proven the new one.';
const NOT_JSON = 'This is not a JSON object.';

export function ItemSettings({
  draft,
  change,
  disabled,
}: {
  draft: ItemDraft;
  change: (change: Partial<ItemDraft>) => void;
  disabled: boolean;
}) {
  return (
    <Stack>
      <NativeSelect
        label="OktaVerify.EnrollmentOptions (macOS)"
        description="Silent enrollment opens Okta Verify with the organization filled in."
        value={draft.enrollmentOptions}
        data={[...ENROLLMENT_OPTIONS]}
        disabled={disabled}
        onChange={(event) => change({ enrollmentOptions: event.currentTarget.value })}
      />
      <NativeSelect
        label="OktaVerify.LaunchOptions (macOS)"
        description="Whether Okta Verify shows its window when it starts at login."
        value={draft.launchOptions}
        data={[...LAUNCH_OPTIONS]}
        disabled={disabled}
        onChange={(event) => change({ launchOptions: event.currentTarget.value })}
      />
      <NativeSelect
        label="Keychain of the certificate (macOS)"
        description={SCOPE_TEXT}
        value={draft.certificateScope}
        data={[...CERTIFICATE_SCOPES]}
        disabled={disabled}
        onChange={(event) => change({ certificateScope: event.currentTarget.value })}
      />
      <Textarea
        label="Further managed preferences of Okta Verify (macOS)"
        description='A JSON object, e.g. {"OktaVerify.ReportDiagnostics": false}'
        autosize
        minRows={2}
        maxRows={10}
        value={draft.extraKeys}
        disabled={disabled}
        error={readConfiguration(draft.extraKeys) === undefined ? NOT_JSON : undefined}
        onChange={(event) => change({ extraKeys: event.currentTarget.value })}
      />
      <Textarea
        label="Managed AppConfig (iPhone and iPad)"
        description={
          draft.deviceTrustOn
            ? 'Okta Device Trust manages this setting. Odette keeps the value here and applies it again when you turn Okta Device Trust off.'
            : 'A JSON object. Odette sends it while Okta Device Trust is off.'
        }
        autosize
        minRows={2}
        maxRows={10}
        value={draft.appConfiguration}
        disabled={disabled || draft.deviceTrustOn}
        error={readConfiguration(draft.appConfiguration) === undefined ? NOT_JSON : undefined}
        onChange={(event) => change({ appConfiguration: event.currentTarget.value })}
      />
      <Checkbox
        label="Okta Verify comes from elsewhere on Macs (package)"
        description="For Platform SSO, which needs the downloaded package. Odette delivers everything except the app, and accepts any Okta Verify."
        checked={draft.appComesFromElsewhere}
        disabled={disabled}
        onChange={(event) => change({ appComesFromElsewhere: event.currentTarget.checked })}
      />
      <Checkbox
        label="Remove the Okta Verify app when a device goes out of scope"
        description="Removing Okta Verify deletes the user's FastPass registration."
        checked={draft.removeAppOnRemoval}
        disabled={disabled}
        onChange={(event) => change({ removeAppOnRemoval: event.currentTarget.checked })}
      />
    </Stack>
  );
}

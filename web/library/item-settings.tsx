// The settings of the library item that an admin may change.
import { Checkbox, NativeSelect, Stack, Textarea } from '@mantine/core';
import { ENROLLMENT_OPTIONS, LAUNCH_OPTIONS, readConfiguration, type ItemDraft } from './item-draft.ts';

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
            ? 'Managed by the Okta Device Trust integration. What stands here is kept and comes back when it is turned off.'
            : 'A JSON object, sent while Okta Device Trust is off.'
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
        label="When devices leave, remove the Okta Verify app too"
        description="Removing Okta Verify destroys its user's FastPass."
        checked={draft.removeAppOnRemoval}
        disabled={disabled}
        onChange={(event) => change({ removeAppOnRemoval: event.currentTarget.checked })}
      />
    </Stack>
  );
}

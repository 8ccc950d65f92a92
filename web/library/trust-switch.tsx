// The Okta Device Trust switch: turning it on is confirmed because Okta Device Trust overrides the item's own configuration; turning it off says
// what stays, what goes, when, how to undo it, and who loses trust.
import { Alert, List, Stack, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { saveBodyOf, type Item, type ItemDraft } from './item-draft.ts';
import { RemovalText } from './removal-text.tsx';
import { usePreview } from './preview-query.ts';
import { saveLine } from './save-line.ts';
import { sentText } from './sent-text.ts';

interface TrustSwitchProps {
  readonly draft: ItemDraft;
  readonly integrationId: string;
  readonly item: Item | undefined;
  readonly isSavedOn: boolean;
  readonly disabled: boolean;
  readonly change: (change: Partial<ItemDraft>) => void;
}

export function TrustSwitch({ draft, integrationId, item, isSavedOn, disabled, change }: TrustSwitchProps) {
  const [asks, setAsks] = useState<'on' | 'off'>();
  const close = () => setAsks(undefined);
  return (
    <>
      <Switch
        size="md"
        label="Okta Device Trust"
        description="Odette configures Okta Verify for device trust on every device in scope"
        checked={draft.deviceTrustOn}
        disabled={disabled}
        onChange={(event) => {
          if (event.currentTarget.checked) setAsks('on');
          else if (isSavedOn) setAsks('off');
          else change({ deviceTrustOn: false, isConfirmed: false });
        }}
      />
      <OnDialog
        opened={asks === 'on'}
        draft={{ ...draft, deviceTrustOn: true, isConfirmed: true }}
        integrationId={integrationId}
        item={item}
        close={close}
        confirm={() => {
          change({ deviceTrustOn: true, isConfirmed: true });
          close();
        }}
      />
      {asks === 'off' && (
        <OffDialog
          draft={{ ...draft, deviceTrustOn: false, isConfirmed: false }}
          integrationId={integrationId}
          item={item}
          close={close}
          confirm={() => {
            // Only with that word the dialog could be confirmed; the save says it again to the API.
            change({ deviceTrustOn: false, isConfirmed: false, policyIsLifted: true });
            close();
          }}
        />
      )}
    </>
  );
}

interface Asked {
  /** As it would be after a yes. */
  readonly draft: ItemDraft;
  readonly integrationId: string;
  readonly item: Item | undefined;
  readonly close: () => void;
  readonly confirm: () => void;
}

function OnDialog(props: Asked & { readonly opened: boolean }) {
  const { draft, integrationId, item } = props;
  const preview = usePreview(saveBodyOf(draft, integrationId), item?.id, props.opened);
  return (
    <ConfirmDialog
      opened={props.opened}
      close={props.close}
      title="Turn on Okta Device Trust?"
      confirmLabel="Yes, turn on Okta Device Trust"
      isOff={!preview.data || preview.isPlaceholderData}
      confirm={props.confirm}
      command={saveLine(draft, integrationId, item)}
    >
      <Text>
        Managed AppConfig for iPhone and iPad will be disabled in this library item: the Okta Device Trust
        integration manages it. Odette keeps the current value and applies it again when you turn Okta Device
        Trust off.
      </Text>
      <Loaded query={preview} lines={1}>
        {(found) => (
          <Text>
            <b>When you save:</b> {sentText(found, true)}
          </Text>
        )}
      </Loaded>
      <Text size="sm" c="dimmed">
        Odette sends nothing until you save.
      </Text>
    </ConfirmDialog>
  );
}

function OffDialog(props: Asked) {
  const { draft, integrationId, item } = props;
  const [isLifted, setLifted] = useState(false);
  const preview = usePreview(saveBodyOf(draft, integrationId), item?.id, true);
  return (
    <ConfirmDialog
      opened
      close={props.close}
      title="Turn off Okta Device Trust?"
      confirmLabel="Turn off"
      isDangerous
      isOff={
        !preview.data || preview.isPlaceholderData || (preview.data.usersLosingTrustTotal > 0 && !isLifted)
      }
      confirm={props.confirm}
      command={saveLine(draft, integrationId, item)}
    >
      <Loaded query={preview} lines={3}>
        {(found) => (
          <Stack gap="sm">
            <RemovalText
              preview={found}
              removesApp={draft.removeAppOnRemoval}
              lifted={{ value: isLifted, set: setLifted }}
            />
          </Stack>
        )}
      </Loaded>
      <Alert color="gray" title="What stays in Okta">
        <List size="sm">
          <List.Item>
            Devices stay registered in Okta until their certificate expires or an admin removes them there.
          </List.Item>
          <List.Item>
            App sign-in rules that require managed devices still apply: change them first.
          </List.Item>
        </List>
      </Alert>
    </ConfirmDialog>
  );
}

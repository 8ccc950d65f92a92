// Changing the library item Okta Verify: assignment, installation type, the Okta Device Trust switch and what it delivers.
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { UnsavedChanges } from '../components/unsaved-changes.tsx';
import { useMay } from '../shell/session.ts';
import { BlueprintChoice } from './blueprint-choice.tsx';
import type { Integration, Item } from './item-draft.ts';
import { useItemEditing } from './item-editing.ts';
import { DeviceTrust, InstallationType, ItemState, Section } from './item-sections.tsx';
import { ItemSettings } from './item-settings.tsx';
import { RemainingBlueprints } from './remaining-blueprints.tsx';
import { SaveDialog } from './save-dialog.tsx';

export function ItemEditor({
  integration,
  item,
  etag,
}: {
  integration: Integration;
  item: Item | undefined;
  etag: string | null;
}) {
  const isAdmin = useMay('admin');
  const editing = useItemEditing(item, etag);
  const { draft, change, isDirty, isOutdated, isSaving, setSaving } = editing;
  const meanwhile = () => (
    <ChangedMeanwhile isFirst={!editing.loaded.item} isGone={!item} load={editing.loadNewest} />
  );
  return (
    <Stack gap="lg">
      {item && <ItemState item={item} />}
      {item && isAdmin && !isDirty && (
        <RemainingBlueprints
          item={item}
          assign={(blueprintIds) => {
            change({ blueprintIds });
            setSaving(true);
          }}
        />
      )}
      <Section title="Assignment">
        <BlueprintChoice
          chosen={draft.blueprintIds}
          itemId={item?.id}
          choose={(blueprintIds) => change({ blueprintIds })}
          disabled={!isAdmin}
        />
      </Section>
      <InstallationType />
      <DeviceTrust
        integration={integration}
        item={item}
        draft={draft}
        isSavedOn={editing.saved.deviceTrustOn}
        disabled={!isAdmin}
        change={change}
      />
      <Section title="Settings">
        <ItemSettings draft={draft} change={change} disabled={!isAdmin} />
      </Section>
      {isDirty && isOutdated && !isSaving && meanwhile()}
      <UnsavedChanges
        isDirty={isDirty && !isSaving}
        isShownAt={(search: { readonly item?: string; readonly integration?: string }) =>
          search.item === undefined ? search.integration === integration.id : search.item === item?.id
        }
      />
      {isAdmin && (
        <SaveBar
          isDirty={isDirty}
          maySave={(isDirty || item === undefined) && editing.isReadable}
          discard={editing.discard}
          save={() => setSaving(true)}
        />
      )}
      {isSaving && (
        <SaveDialog
          draft={draft}
          integrationId={integration.id}
          item={item}
          etag={editing.loaded.etag}
          outdated={isOutdated ? meanwhile() : undefined}
          change={change}
          saved={editing.show}
          close={() => setSaving(false)}
        />
      )}
    </Stack>
  );
}

function SaveBar({
  isDirty,
  maySave,
  discard,
  save,
}: {
  isDirty: boolean;
  maySave: boolean;
  discard: () => void;
  save: () => void;
}) {
  return (
    <Group justify="flex-end" className="save-bar">
      {isDirty && <Text size="sm">You have unsaved changes.</Text>}
      <Button variant="default" disabled={!isDirty} onClick={discard}>
        Discard changes
      </Button>
      <Button disabled={!maySave} onClick={save}>
        Save
      </Button>
    </Group>
  );
}

/** @param isFirst there was no item yet when the page was opened */
function ChangedMeanwhile({
  isFirst,
  isGone,
  load,
}: {
  isFirst: boolean;
  isGone: boolean;
  load: () => void;
}) {
  const title = isFirst
    ? 'Someone else created this item'
    : `Someone else ${isGone ? 'removed' : 'saved'} this item`;
  const made = isFirst
    ? 'before this item existed'
    : isGone
      ? 'on an item that no longer exists'
      : 'on an older version';
  return (
    <Alert color="orange" role="alert" title={title}>
      <Text size="sm">
        You made your changes {made}. {isGone ? 'Start a new item' : 'Load the newer version'}, then repeat
        the changes that you still want.
      </Text>
      <Group mt="xs">
        <Button size="xs" variant="default" onClick={load}>
          {isGone ? 'Start a new item' : 'Load the newer version'}
        </Button>
      </Group>
    </Alert>
  );
}

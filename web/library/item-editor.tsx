// Changing the library item Okta Verify: assignment, installation type, the Okta Device Trust switch and what it delivers.
import { Alert, Badge, Button, Group, List, Paper, Radio, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { AnchorLink } from '../components/links.tsx';
import { useEffect, useState, type ReactNode } from 'react';
import { BucketBadge } from '../components/device-labels.tsx';
import type { ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { countText, deviceTitle, SHOWN_BUCKETS } from '../labels.ts';
import { BlueprintChoice } from './blueprint-choice.tsx';
import {
  draftOf,
  isSame,
  readConfiguration,
  type Integration,
  type Item,
  type ItemDraft,
} from './item-draft.ts';
import { ItemSettings } from './item-settings.tsx';
import { PayloadTable } from './payload-table.tsx';
import { SaveDialog } from './save-dialog.tsx';
import { RemainingBlueprints } from './remaining-blueprints.tsx';
import { TrustSwitch } from './trust-switch.tsx';

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
  const navigate = useNavigate();
  const client = useQueryClient();
  // What is changed here was loaded from one version, and is saved on that one alone.
  const [loaded, setLoaded] = useState({ item, etag });
  const saved = draftOf(loaded.item);
  const [draft, setDraft] = useState<ItemDraft>(saved);
  const [isSaving, setSaving] = useState(false);
  const isDirty = !isSame(draft, saved);
  const isOutdated = etag !== loaded.etag || !isSame(saved, draftOf(item));
  const load = (version: typeof loaded) => {
    setLoaded(version);
    setDraft(draftOf(version.item));
  };
  // Somebody else saved meanwhile: shown at once, unless something is being changed here.
  useEffect(() => {
    if (isOutdated && !isDirty && !isSaving) load({ item, etag });
  }, [isOutdated, isDirty, isSaving, item, etag]);
  const meanwhile = () => <ChangedMeanwhile isFirst={!loaded.item} isGone={!item} load={loadNewest} />;
  const loadNewest = () => {
    setSaving(false);
    load({ item, etag });
  };
  const change = (part: Partial<ItemDraft>) => setDraft((before) => ({ ...before, ...part }));
  const isReadable =
    readConfiguration(draft.appConfiguration) !== undefined &&
    readConfiguration(draft.extraKeys) !== undefined;
  return (
    <Stack gap="lg">
      {item && <Counts item={item} />}
      {item && isAdmin && !isDirty && (
        <RemainingBlueprints
          item={item}
          assign={(blueprintIds) => {
            change({ blueprintIds });
            setSaving(true);
          }}
        />
      )}
      {item && item.notFromAppStore.devices.length > 0 && <WrongApp item={item} />}
      <Section title="Assignment">
        <BlueprintChoice
          chosen={draft.blueprintIds}
          itemId={item?.id}
          choose={(blueprintIds) => change({ blueprintIds })}
          disabled={!isAdmin}
        />
      </Section>
      <Section title="Installation type">
        <Radio.Group value="enforce" aria-label="Installation type">
          <Radio
            value="enforce"
            label="Install and continuously enforce"
            description="If Okta Verify is already installed, Odette takes over its management instead of reinstalling it."
          />
        </Radio.Group>
      </Section>
      <Section title="Okta Device Trust">
        <Stack>
          <TrustSwitch
            draft={draft}
            integrationId={integration.id}
            item={item}
            isSavedOn={saved.deviceTrustOn}
            disabled={!isAdmin}
            change={change}
          />
          {draft.deviceTrustOn && (
            <Stack gap={4}>
              <Text size="sm">
                <b>Device families</b>: {familiesOf(integration, item).join(', ')}
              </Text>
              <Text size="sm">
                <b>Okta domain</b>: {item?.oktaDomain ?? integration.customDomain ?? integration.host}
              </Text>
            </Stack>
          )}
          <PayloadTable item={item} />
        </Stack>
      </Section>
      <Section title="Settings">
        <ItemSettings draft={draft} change={change} disabled={!isAdmin} />
      </Section>
      {isDirty && isOutdated && !isSaving && meanwhile()}
      {isAdmin && (
        <Group justify="flex-end" className="save-bar">
          {isDirty && <Text size="sm">You have unsaved changes.</Text>}
          <Button variant="default" disabled={!isDirty} onClick={() => setDraft(saved)}>
            Discard changes
          </Button>
          <Button disabled={(!isDirty && item !== undefined) || !isReadable} onClick={() => setSaving(true)}>
            Save
          </Button>
        </Group>
      )}
      {isSaving && (
        <SaveDialog
          draft={draft}
          integrationId={integration.id}
          item={item}
          etag={loaded.etag}
          outdated={isOutdated ? meanwhile() : undefined}
          change={change}
          saved={(version) => {
            const { id } = version.item;
            client.setQueryData(['getLibraryItem', { id }, 'versioned'], {
              body: version.item,
              etag: version.etag,
            });
            // Otherwise there would be no item until the list is read again.
            client.setQueryData<ResponseOf<'listLibraryItems'>>(
              ['listLibraryItems', {}, {}],
              (list) =>
                list && { ...list, items: [...list.items.filter((one) => one.id !== id), version.item] },
            );
            load(version);
            void navigate({ to: '/library/okta-verify', search: { item: id }, replace: true });
          }}
          close={() => setSaving(false)}
        />
      )}
    </Stack>
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
  const before = isFirst ? 'before there was one' : 'on the version before';
  return (
    <Alert color="orange" role="alert" title={title}>
      <Text size="sm">
        Your changes were made {before}, and cannot be saved over{' '}
        {isFirst ? 'it' : isGone ? 'an item that is gone' : 'the newer one'}.{' '}
        {isGone ? 'Begin anew' : 'Load it'}, then repeat what you still want to change.
      </Text>
      <Group mt="xs">
        <Button size="xs" variant="default" onClick={load}>
          {isGone ? 'Begin a new item' : 'Load what was saved'}
        </Button>
      </Group>
    </Alert>
  );
}

function familiesOf(integration: Integration, item: Item | undefined): string[] {
  if (item) return [...item.families];
  return [...(integration.macOS ? ['Mac'] : []), ...(integration.iOS ? ['iPhone', 'iPad'] : [])];
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" component="section" aria-label={title}>
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Counts({ item }: { item: Item }) {
  return (
    <Group gap="sm">
      {SHOWN_BUCKETS.map((bucket) => (
        <AnchorLink
          key={bucket}
          to="/devices"
          search={{ bucket, integration: item.integrationId }}
          underline="hover"
          c="var(--mantine-color-text)"
        >
          <BucketBadge bucket={bucket} />{' '}
          <Badge variant="transparent" c="var(--mantine-color-text)" px={0}>
            {countText(item.buckets[bucket])}
          </Badge>
        </AnchorLink>
      ))}
    </Group>
  );
}

function WrongApp({ item }: { item: Item }) {
  return (
    <Alert color="orange" title="Macs where Okta Verify was not installed from the App Store">
      <Text size="sm">{item.notFromAppStore.reason}</Text>
      <List size="sm">
        {item.notFromAppStore.devices.map((device) => (
          <List.Item key={device.id}>
            <AnchorLink to="/devices/$deviceId" params={{ deviceId: device.id }} size="sm">
              {deviceTitle(device)}
            </AnchorLink>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

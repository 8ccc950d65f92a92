// The parts of a library item's page: where it stands, how it is installed, and what Okta Device Trust sends.
import { Alert, Badge, Group, List, Paper, Radio, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { BucketBadge, DeviceLink } from '../components/device-labels.tsx';
import { AnchorLink } from '../components/links.tsx';
import { countText, plural, SHOWN_BUCKETS } from '../labels.ts';
import type { Integration, Item, ItemDraft } from './item-draft.ts';
import { PayloadTable } from './payload-table.tsx';
import { TrustSwitch } from './trust-switch.tsx';

export function ItemState({ item }: { item: Item }) {
  return (
    <>
      <Counts item={item} />
      {item.notFromAppStore.devices.length > 0 && <WrongApp item={item} />}
    </>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" component="section" aria-label={title}>
      <Title order={2} size="h4" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

export function InstallationType() {
  return (
    <Section title="Installation type">
      <Radio.Group value="enforce" aria-label="Installation type">
        <Radio
          value="enforce"
          label="Install and continuously enforce"
          description="If Okta Verify is already installed, Odette takes over its management instead of reinstalling it."
        />
      </Radio.Group>
    </Section>
  );
}

export function DeviceTrust({
  integration,
  item,
  draft,
  isSavedOn,
  disabled,
  change,
}: {
  integration: Integration;
  item: Item | undefined;
  draft: ItemDraft;
  isSavedOn: boolean;
  disabled: boolean;
  change: (part: Partial<ItemDraft>) => void;
}) {
  return (
    <Section title="Okta Device Trust">
      <Stack>
        <Text size="sm">
          <b>Okta tenant</b>: {tenantText(integration)}
        </Text>
        <TrustSwitch
          draft={draft}
          integrationId={integration.id}
          item={item}
          isSavedOn={isSavedOn}
          disabled={disabled}
          change={change}
        />
        {draft.deviceTrustOn && <Reach integration={integration} item={item} />}
        {item && <Assigned item={item} />}
        <PayloadTable item={item} />
      </Stack>
    </Section>
  );
}

/** Its name, and its host where that is another word. */
const tenantText = ({ name, host }: Integration): string => (name === host ? host : `${name} (${host})`);

function Reach({ integration, item }: { integration: Integration; item: Item | undefined }) {
  return (
    <Stack gap={4}>
      <Text size="sm">
        <b>Device families</b>: {familiesOf(integration, item).join(', ')}
      </Text>
      <Text size="sm">
        <b>Okta domain</b>: {item?.oktaDomain ?? integration.customDomain ?? integration.host}
      </Text>
    </Stack>
  );
}

function familiesOf(integration: Integration, item: Item | undefined): string[] {
  if (item) return [...item.families];
  return [...(integration.macOS ? ['Mac'] : []), ...(integration.iOS ? ['iPhone', 'iPad'] : [])];
}

function Assigned({ item }: { item: Item }) {
  const { left: _left, ...here } = item.buckets;
  const devices = Object.values(here).reduce((sum, count) => sum + count, 0);
  return (
    <Text size="sm">
      <b>Assigned to</b>: {plural(item.blueprints.length, 'blueprint')}, {plural(devices, 'device')}
    </Text>
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
            <DeviceLink device={device} />
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

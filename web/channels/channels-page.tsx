// Channels: other MDM servers by which Odette reaches devices. What each kind can and cannot, how each server does, and what can be done.
import { Button, Group, List, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { CHANNEL_WORDS } from '../../domain/channel-words.ts';
import { CopyValue } from '../components/copy-value.tsx';
import { Moment } from '../components/moment.tsx';
import { AnchorLink } from '../components/links.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { StateBadge } from '../components/issued-list.tsx';
import { SecretSetText } from '../components/secret-input.tsx';
import { Section } from '../integrations/section.tsx';
import { plural } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { AdoptDialog } from './adopt-dialog.tsx';
import { stateOf, type Channel } from './channel.ts';
import { ChannelDialog } from './channel-dialog.tsx';
import { Findings, ReadDialog, RemoveDialog, TestDialog } from './channel-requests.tsx';

type Doing =
  | { readonly what: 'add' }
  | { readonly what: 'change' | 'test' | 'adopt' | 'read' | 'remove'; readonly channel: Channel };

export function ChannelsPage() {
  // Webhooks and readings change it without an event of their own.
  const query = useApiQuery('listChannels', {}, { everyMs: 10_000 });
  const isAdmin = useMay('admin');
  const [doing, setDoing] = useState<Doing>();
  const close = () => setDoing(undefined);
  const add = isAdmin ? <Button onClick={() => setDoing({ what: 'add' })}>Add channel</Button> : undefined;
  return (
    <Page
      title="Channels"
      help="channels"
      intro="Other MDM servers through which Odette reaches devices. Devices stay enrolled in those servers."
      actions={add}
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No other MDM server" action={add}>
              Without a channel, Odette reaches only the devices that enroll in Odette itself. Add a NanoMDM
              or Fleet server to reach the devices that are enrolled there.
            </Empty>
          ) : (
            <Stack>
              {items.map((channel) => (
                <ChannelCard
                  key={channel.id}
                  channel={channel}
                  start={(what) => setDoing({ what, channel })}
                />
              ))}
            </Stack>
          )
        }
      </Loaded>
      <Kinds />
      {doing?.what === 'add' && <ChannelDialog channel={undefined} close={close} />}
      {doing?.what === 'change' && <ChannelDialog channel={doing.channel} close={close} />}
      {doing?.what === 'test' && <TestDialog channel={doing.channel} close={close} />}
      {doing?.what === 'adopt' && <AdoptDialog channel={doing.channel} close={close} />}
      {doing?.what === 'read' && <ReadDialog channel={doing.channel} close={close} />}
      {doing?.what === 'remove' && <RemoveDialog channel={doing.channel} close={close} />}
    </Page>
  );
}

function Kinds() {
  return (
    <Section title="What each channel can and cannot do">
      <Stack gap="md">
        {Object.entries(CHANNEL_WORDS).map(([kind, { name, can, cannot }]) => (
          <div key={kind}>
            <Text size="sm" fw={700}>
              {name}
            </Text>
            <Text size="sm">
              {can} {cannot}
            </Text>
          </div>
        ))}
      </Stack>
    </Section>
  );
}

type Request = Exclude<Doing['what'], 'add'>;

function ChannelCard({ channel, start }: { channel: Channel; start: (what: Request) => void }) {
  const state = stateOf(channel);
  return (
    <Section title={channel.name} action={<StateBadge label={state.label} color={state.color} />}>
      {state.text !== undefined && <Text size="sm">{state.text}</Text>}
      <Findings findings={channel.findings} />
      <Facts channel={channel} />
      <Requests channel={channel} start={start} />
    </Section>
  );
}

function Facts({ channel }: { channel: Channel }) {
  const { id, kind, url, server, apiKey, webhookKey, webhookUrl, lastWebhookAt, readAt, devices, asked } =
    channel;
  return (
    <>
      <List size="sm" listStyleType="none" spacing={4}>
        <List.Item className="break-anywhere">
          {CHANNEL_WORDS[kind].name}
          {server !== null && ` ${server.version} (${server.tier})`} at {url}
        </List.Item>
        <List.Item>
          <AnchorLink to="/devices" search={{ channel: id }} size="sm">
            {plural(devices, 'device')}
          </AnchorLink>
          {asked > 0 && `; ${plural(asked, 'more has', 'more have')} not responded yet`}
        </List.Item>
        <List.Item>
          {kind === 'nanomdm' ? 'Last webhook: ' : 'Last read: '}
          <Moment at={kind === 'nanomdm' ? lastWebhookAt : readAt} none="none yet" />
        </List.Item>
        <Goal channel={channel} />
        {apiKey && (
          <List.Item>
            {kind === 'fleet' ? 'API token' : 'API key'}: <SecretSetText set={apiKey} />
          </List.Item>
        )}
        {webhookKey && (
          <List.Item>
            Webhook key: <SecretSetText set={webhookKey} />
          </List.Item>
        )}
      </List>
      {webhookUrl !== null && <CopyValue label="Webhook URL (-webhook-url of NanoMDM)" value={webhookUrl} />}
    </>
  );
}

/** Where devices go. */
function Goal({ channel: { kind, blueprintId, labels } }: { channel: Channel }) {
  const { data } = useApiQuery('listBlueprints', {});
  const nameOf = (id: string) => data?.items.find((blueprint) => blueprint.id === id)?.name ?? '…';
  return (
    <>
      {labels.map(({ label, blueprintId: to }) => (
        <List.Item key={label} className="break-anywhere">
          Hosts with the label “{label}” join the blueprint {nameOf(to)}
        </List.Item>
      ))}
      <List.Item className="break-anywhere">
        {kind === 'fleet' ? 'Hosts that you adopt' : 'Devices from this channel'}:{' '}
        {blueprintId === null ? 'no blueprint until you choose one' : `blueprint ${nameOf(blueprintId)}`}
      </List.Item>
    </>
  );
}

function Requests({ channel, start }: { channel: Channel; start: (what: Request) => void }) {
  const isOperator = useMay('operator');
  const isAdmin = useMay('admin');
  const shown: readonly (readonly [Request, string, boolean])[] = [
    ['test', 'Test', isOperator],
    ['adopt', 'Adopt devices', isOperator],
    ['read', 'Read now', isOperator && channel.kind === 'fleet'],
    ['change', 'Change', isAdmin],
    ['remove', 'Remove', isAdmin],
  ];
  return (
    <Group gap="xs">
      {shown.map(
        ([what, label, isShown]) =>
          isShown && (
            <Button
              key={what}
              size="xs"
              variant="default"
              onClick={() => start(what)}
              disabled={what === 'remove' && channel.devices > 0}
              title={what === 'remove' && channel.devices > 0 ? 'This channel still has devices' : undefined}
              aria-label={`${label}: ${channel.name}`}
            >
              {label}
            </Button>
          ),
      )}
    </Group>
  );
}

// The dialog that adds or changes a channel. Odette proves address and key before it keeps them; another address asks for the key again.
import { Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { CHANNEL_WORDS } from '../../domain/channel-words.ts';
import { OTHER_CHANNEL_KINDS } from '../../domain/device-channel.ts';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldProblem } from '../components/problem-alert.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { useApiQuery, useChange, type Body } from '../queries.ts';
import type { Channel } from './channel.ts';

interface Draft {
  readonly kind: Channel['kind'];
  readonly name: string;
  readonly url: string;
  readonly apiKey: string;
  readonly webhookKey: string;
  /** Empty: none. */
  readonly blueprintId: string;
  readonly labels: Channel['labels'];
}

const NEW: Draft = {
  kind: 'fleet',
  name: '',
  url: '',
  apiKey: '',
  webhookKey: '',
  blueprintId: '',
  labels: [],
};

const draftOf = ({ kind, name, url, blueprintId, labels }: Channel): Draft => ({
  ...NEW,
  ...{ kind, name, url, labels },
  blueprintId: blueprintId ?? '',
});

/** Lines that nobody filled in are none. */
const labelsOf = ({ labels }: Draft) =>
  labels
    .map(({ label, blueprintId }) => ({ label: label.trim(), blueprintId }))
    .filter(({ label, blueprintId }) => label !== '' && blueprintId !== '');

function creation(draft: Draft): Body<'createChannel'> {
  const { kind, name, url, apiKey, webhookKey, blueprintId } = draft;
  const shared = {
    name: name.trim(),
    url: url.trim(),
    apiKey,
    ...(blueprintId !== '' && { blueprintId }),
  };
  return kind === 'fleet' ? { kind, ...shared, labels: labelsOf(draft) } : { kind, ...shared, webhookKey };
}

function alteration(draft: Draft): Body<'changeChannel'> {
  const { kind, name, url, apiKey, webhookKey, blueprintId } = draft;
  return {
    name: name.trim(),
    url: url.trim(),
    blueprintId: blueprintId === '' ? null : blueprintId,
    ...(apiKey !== '' && { apiKey }),
    ...(webhookKey !== '' && { webhookKey }),
    ...(kind === 'fleet' && { labels: labelsOf(draft) }),
  };
}

/** As a command line shows it: a secret is not repeated, and what is not typed yet is an example. */
const shown = (draft: Draft, isNew: boolean): Draft => ({
  ...draft,
  name: draft.name.trim() === '' ? 'NAME' : draft.name,
  url: draft.url.trim() === '' ? 'https://mdm.example.com' : draft.url,
  apiKey: isNew || draft.apiKey !== '' ? '…' : '',
  webhookKey: isNew || draft.webhookKey !== '' ? '…' : '',
});

const REFRESHES = ['listChannels', 'getStatus'] as const;

export function ChannelDialog({ channel, close }: { channel: Channel | undefined; close: () => void }) {
  const [draft, setDraft] = useState<Draft>(channel === undefined ? NEW : draftOf(channel));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const create = useChange('createChannel', REFRESHES, close);
  const alter = useChange('changeChannel', REFRESHES, close);
  const { error, isPending } = channel === undefined ? create : alter;
  const params = { id: channel?.id ?? '' };
  const isKeyMissing =
    channel === undefined && (draft.apiKey === '' || (draft.kind === 'nanomdm' && draft.webhookKey === ''));
  return (
    <ConfirmDialog
      opened
      close={close}
      title={channel === undefined ? 'Add a channel' : `Change ${channel.name}`}
      confirmLabel={channel === undefined ? 'Add' : 'Save'}
      confirm={() =>
        channel === undefined
          ? create.mutate({ body: creation(draft) })
          : alter.mutate({ params, body: alteration(draft) })
      }
      isBusy={isPending}
      isOff={draft.name.trim() === '' || draft.url.trim() === '' || isKeyMissing}
      error={error}
      command={
        channel === undefined
          ? curlLine('createChannel', { body: creation(shown(draft, true)) })
          : curlLine('changeChannel', { params, body: alteration(shown(draft, false)) })
      }
    >
      {channel === undefined && (
        <NativeSelect
          label="Kind"
          description={`${CHANNEL_WORDS[draft.kind].can} ${CHANNEL_WORDS[draft.kind].cannot}`}
          value={draft.kind}
          data={[...OTHER_CHANNEL_KINDS].sort().map((value) => ({ value, label: CHANNEL_WORDS[value].name }))}
          onChange={(event) => set({ kind: event.currentTarget.value as Draft['kind'] })}
        />
      )}
      <ServerFields draft={draft} set={set} channel={channel} error={error} />
      <GoalFields draft={draft} set={set} error={error} />
    </ConfirmDialog>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
  readonly error: unknown;
}

function ServerFields({ draft, set, channel, error }: FieldsProps & { channel: Channel | undefined }) {
  const isFleet = draft.kind === 'fleet';
  return (
    <>
      <TextInput
        label="Name"
        value={draft.name}
        maxLength={100}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={fieldProblem(error, 'name')}
        data-autofocus
      />
      <TextInput
        label="URL"
        description={
          isFleet
            ? 'Address of the Fleet server'
            : 'Base URL of its API. ODETTE_ALLOWED_PRIVATE_HOSTS must list a private host.'
        }
        placeholder={isFleet ? 'https://fleet.example.com' : 'https://nanomdm.example.com'}
        value={draft.url}
        onChange={(event) => set({ url: event.currentTarget.value })}
        error={fieldProblem(error, 'url')}
        autoComplete="off"
        spellCheck={false}
      />
      <SecretInput
        label={isFleet ? 'API token' : 'API key'}
        description={
          isFleet
            ? 'From an API-only user with the role maintainer or admin.'
            : 'The value of the NanoMDM flag -api.'
        }
        value={draft.apiKey}
        set={(apiKey) => set({ apiKey })}
        isSet={channel?.apiKey}
        error={fieldProblem(error, 'apiKey')}
      />
      {!isFleet && (
        <SecretInput
          label="Webhook key"
          description="The value of the NanoMDM flag -webhook-hmac-key, at least 16 characters."
          value={draft.webhookKey}
          set={(webhookKey) => set({ webhookKey })}
          isSet={channel?.webhookKey}
          error={fieldProblem(error, 'webhookKey')}
        />
      )}
    </>
  );
}

function GoalFields({ draft, set, error }: FieldsProps) {
  const { data } = useApiQuery('listBlueprints', {});
  const choices = [
    { value: '', label: 'None' },
    ...(data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ];
  const isFleet = draft.kind === 'fleet';
  return (
    <>
      <NativeSelect
        label="Blueprint"
        description={isFleet ? 'For hosts that you adopt' : 'For devices that come through this channel'}
        value={draft.blueprintId}
        data={choices}
        onChange={(event) => set({ blueprintId: event.currentTarget.value })}
        error={fieldProblem(error, 'blueprintId')}
      />
      {isFleet && <LabelFields draft={draft} set={set} error={error} choices={choices} />}
    </>
  );
}

function LabelFields({
  draft: { labels },
  set,
  error,
  choices,
}: FieldsProps & { choices: readonly { value: string; label: string }[] }) {
  const change = (at: number, part: Partial<Channel['labels'][number]>) =>
    set({ labels: labels.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  return (
    <Stack gap="xs" role="group" aria-label="Fleet labels">
      <Text size="sm">
        Fleet labels: hosts with a label join its blueprint within five minutes, so you do not have to adopt
        them. Odette ignores empty labels.
      </Text>
      {labels.map(({ label, blueprintId }, at) => (
        // A line has no other identity while it is typed.
        <Group key={at} gap="xs" align="flex-end" wrap="nowrap">
          <TextInput
            label={`Label ${at + 1}`}
            value={label}
            maxLength={255}
            onChange={(event) => change(at, { label: event.currentTarget.value })}
            error={fieldProblem(error, `labels.${at}.label`)}
            style={{ flex: 1 }}
          />
          <NativeSelect
            label={`Blueprint of label ${at + 1}`}
            value={blueprintId}
            data={[...choices]}
            onChange={(event) => change(at, { blueprintId: event.currentTarget.value })}
            error={fieldProblem(error, `labels.${at}.blueprintId`)}
            style={{ flex: 1 }}
          />
        </Group>
      ))}
      <Group>
        <Button
          size="xs"
          variant="default"
          onClick={() => set({ labels: [...labels, { label: '', blueprintId: '' }] })}
        >
          Add label
        </Button>
      </Group>
    </Stack>
  );
}

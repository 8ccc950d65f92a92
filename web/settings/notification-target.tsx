// The dialog that adds or changes where notifications go. A secret is typed once; what changes its address asks for it again.
import { Checkbox, Group, NativeSelect, NumberInput, Switch, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { fieldProblem } from '../components/problem-alert.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { useChange, type Body } from '../queries.ts';
import { KIND_LABELS, type Target } from './notification-kinds.ts';

type TargetBody = Body<'createNotificationTarget'>;
type Kind = Target['kind'];

interface Draft {
  readonly kind: Kind;
  readonly name: string;
  readonly isOn: boolean;
  /** A URL or a password; empty: keep it. */
  readonly secret: string;
  readonly rules: Target['rules'];
  readonly email: NonNullable<Target['email']>;
}

const NEW: Draft = {
  kind: 'webhook',
  name: '',
  isOn: true,
  secret: '',
  rules: { topics: ['installation', 'devices'], minDevices: 1, tellsWhenDone: true },
  email: { host: '', port: 465, security: 'tls', username: null, from: '', to: [] },
};

const draftOf = ({ kind, name, isOn, rules, email }: Target): Draft => ({
  ...NEW,
  kind,
  name,
  isOn,
  rules,
  email: email ?? NEW.email,
});

function bodyOf({ kind, name, isOn, rules, email, secret }: Draft): TargetBody {
  const shared = { name: name.trim(), isOn, rules };
  if (kind === 'email') return { kind, ...shared, email, ...(secret !== '' && { password: secret }) };
  return { kind, ...shared, ...(secret !== '' && { url: secret.trim() }) };
}

/** As a command line shows it: a secret is not repeated, and what is not typed yet is an example. */
function shownBody(draft: Draft): TargetBody {
  const { name, email, secret, kind } = draft;
  const example = kind === 'email' ? '…' : 'https://hooks.example.com/…';
  return bodyOf({
    ...draft,
    name: name.trim() === '' ? 'NAME' : name,
    secret: secret === '' ? '' : example,
    email: {
      ...email,
      host: email.host === '' ? 'smtp.example.com' : email.host,
      from: email.from === '' ? 'odette@example.com' : email.from,
      to: email.to.some((address) => address !== '') ? email.to : ['it@example.com'],
    },
  });
}

export function TargetDialog({
  target,
  close,
  saved,
}: {
  target: Target | undefined;
  close: () => void;
  /** With the signing key, which is shown once; null: there is no new one. */
  saved: (signingKey: string | null) => void;
}) {
  const [draft, setDraft] = useState<Draft>(target === undefined ? NEW : draftOf(target));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const refreshes = ['listNotificationTargets', 'getStatus'] as const;
  const create = useChange('createNotificationTarget', refreshes, ({ signingKey }) => saved(signingKey));
  const update = useChange('updateNotificationTarget', refreshes, ({ signingKey }) => saved(signingKey));
  const change = target === undefined ? create : update;
  const params = { id: target?.id ?? '' };
  const isIncomplete = draft.name.trim() === '' || draft.rules.topics.length === 0;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={target === undefined ? 'Add a target' : `Change ${target.name}`}
      confirmLabel={target === undefined ? 'Add' : 'Save'}
      confirm={() =>
        target === undefined
          ? create.mutate({ body: bodyOf(draft) })
          : update.mutate({ params, body: bodyOf(draft) })
      }
      isBusy={change.isPending}
      isOff={isIncomplete}
      error={change.error}
      command={
        target === undefined
          ? curlLine('createNotificationTarget', { body: shownBody(draft) })
          : curlLine('updateNotificationTarget', { params, body: shownBody(draft) })
      }
    >
      {target === undefined && (
        <NativeSelect
          label="Kind"
          value={draft.kind}
          data={Object.entries(KIND_LABELS).map(([value, label]) => ({ value, label }))}
          onChange={(event) => set({ kind: event.currentTarget.value as Kind, secret: '' })}
        />
      )}
      <TextInput
        label="Name"
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={fieldProblem(change.error, 'name')}
        data-autofocus
      />
      {draft.kind === 'email' ? (
        <EmailFields draft={draft} set={set} target={target} error={change.error} />
      ) : (
        <SecretInput
          label="URL"
          description={
            draft.kind === 'slack'
              ? 'The incoming webhook URL of a Slack app or a compatible service. Odette treats it as a secret.'
              : 'https only. Odette treats it as a secret; a new URL gets a new signing key.'
          }
          value={draft.secret}
          set={(secret) => set({ secret })}
          isSet={target?.secret}
          error={fieldProblem(change.error, 'url')}
        />
      )}
      <RuleFields rules={draft.rules} set={(rules) => set({ rules })} />
      <Switch
        label="On"
        checked={draft.isOn}
        onChange={(event) => set({ isOn: event.currentTarget.checked })}
      />
    </ConfirmDialog>
  );
}

const PORTS = { tls: 465, starttls: 587 } as const;

function EmailFields({
  draft: { email, secret },
  set,
  target,
  error,
}: {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  target: Target | undefined;
  error: unknown;
}) {
  const change = (part: Partial<Draft['email']>) => set({ email: { ...email, ...part } });
  return (
    <>
      <Group grow align="flex-start">
        <TextInput
          label="Mail server"
          value={email.host}
          onChange={(event) => change({ host: event.currentTarget.value.trim() })}
          error={fieldProblem(error, 'email.host')}
        />
        <NumberInput
          label="Port"
          min={1}
          max={65_535}
          value={email.port}
          onChange={(port) => change({ port: Number(port) })}
          hideControls
          error={fieldProblem(error, 'email.port')}
        />
      </Group>
      <NativeSelect
        label="TLS"
        value={email.security}
        data={[
          { value: 'tls', label: 'Implicit TLS (usually port 465)' },
          { value: 'starttls', label: 'STARTTLS, required (usually port 587)' },
        ]}
        onChange={(event) => {
          const security = event.currentTarget.value as keyof typeof PORTS;
          change({ security, port: PORTS[security] });
        }}
      />
      <TextInput
        label="User name"
        description="Leave empty if the server does not ask for a password"
        value={email.username ?? ''}
        onChange={(event) => change({ username: event.currentTarget.value.trim() || null })}
        error={fieldProblem(error, 'email.username')}
        autoComplete="off"
      />
      {email.username !== null && (
        <SecretInput
          label="Password"
          value={secret}
          set={(password) => set({ secret: password })}
          isSet={target?.secret}
          error={fieldProblem(error, 'password')}
        />
      )}
      <TextInput
        label="From"
        value={email.from}
        onChange={(event) => change({ from: event.currentTarget.value.trim() })}
        error={fieldProblem(error, 'email.from')}
      />
      <Textarea
        label="To"
        description="One address per line"
        autosize
        minRows={2}
        value={email.to.join('\n')}
        onChange={(event) => change({ to: event.currentTarget.value.split(/[\s,;]+/) })}
        onBlur={() => change({ to: email.to.filter((address) => address !== '') })}
        error={fieldProblem(error, 'email.to') ?? fieldProblem(error, 'email.to.0')}
      />
    </>
  );
}

const TOPIC_LABELS = {
  installation: 'Alarms that affect the whole fleet',
  devices: 'Causes that devices share',
} as const;
type Topic = keyof typeof TOPIC_LABELS;

function RuleFields({ rules, set }: { rules: Target['rules']; set: (rules: Target['rules']) => void }) {
  return (
    <>
      <Checkbox.Group
        label="Notify about"
        value={rules.topics}
        onChange={(topics) => set({ ...rules, topics: topics as Topic[] })}
      >
        {(Object.keys(TOPIC_LABELS) as Topic[]).map((topic) => (
          <Checkbox key={topic} value={topic} label={TOPIC_LABELS[topic]} mt="xs" />
        ))}
      </Checkbox.Group>
      <NumberInput
        label="Minimum number of devices per cause"
        min={1}
        max={1_000_000}
        value={rules.minDevices}
        onChange={(devices) => set({ ...rules, minDevices: Math.max(1, Number(devices)) })}
        hideControls
      />
      <Checkbox
        label="Also notify when it is resolved"
        checked={rules.tellsWhenDone}
        onChange={(event) => set({ ...rules, tellsWhenDone: event.currentTarget.checked })}
      />
    </>
  );
}

// The fields of each step of the wizard that asks for something, and how they become its answer.
import { Alert, Anchor, Checkbox, Radio, Stack, Text as Words, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { CHANNEL_WORDS, otherServerName } from '../../domain/channel-words.ts';
import { SETUP_CHANNELS } from '../../domain/setup-wizard.ts';
import { fieldProblem } from '../components/problem-alert.tsx';
import { SecretInput } from '../components/secret-input.tsx';
import { PLATFORM_LABELS } from '../labels.ts';
import type { Answers, StepAnswer, StepName } from './answers.ts';
import type { Draft } from './drafts.ts';

interface FieldsProps {
  readonly answers: Answers;
  readonly draft: Draft;
  readonly set: (field: string, value: string) => void;
  readonly error: unknown;
}

export interface StepForm {
  /** Names in the draft; the same as in the answer's body. */
  readonly fields: readonly string[];
  readonly Fields: (props: FieldsProps) => ReactNode;
  /** Undefined: something is missing still. */
  readonly read: (values: Draft, answers: Answers) => StepAnswer | undefined;
}

/** Draft over what was answered already. */
export function valuesOf(step: StepName, answers: Answers, draft: Draft): Draft {
  const fields = FORMS[step]?.fields ?? [];
  return Object.fromEntries(
    fields.map((field) => [field, draft[field] ?? answered(answers, field) ?? DEFAULTS[field] ?? '']),
  );
}

/** The draft says something else than the answer. */
export const isChanged = (step: StepName, answers: Answers, draft: Draft): boolean =>
  (FORMS[step]?.fields ?? []).some(
    (field) => draft[field] !== undefined && draft[field] !== (answered(answers, field) ?? ''),
  );

const DEFAULTS: Draft = {
  channel: 'built_in',
  providerName: 'Odette',
  credentialsKind: 'api_services_app',
  platforms: 'macOS iOS',
};

function answered(answers: Answers, field: string): string | undefined {
  const value = (answers as Record<string, unknown>)[field];
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(' ') : undefined;
}

function Text(
  props: FieldsProps & {
    step: StepName;
    field: string;
    label: string;
    description?: string;
    example?: string;
  },
) {
  const { field, label, description, example, answers, draft, set, error, step } = props;
  return (
    <TextInput
      label={label}
      description={description}
      placeholder={example}
      value={valuesOf(step, answers, draft)[field] ?? ''}
      onChange={(event) => set(field, event.currentTarget.value)}
      error={fieldProblem(error, field)}
      required
      withAsterisk={false}
      autoComplete="off"
      autoCapitalize="off"
      spellCheck={false}
    />
  );
}

function Secret(
  props: FieldsProps & {
    field: 'clientSecret' | 'password' | 'secretKey';
    label: string;
    description?: string;
  },
) {
  const { field, label, description, answers, draft, set, error } = props;
  return (
    <SecretInput
      label={label}
      {...(description === undefined ? {} : { description })}
      value={draft[field] ?? ''}
      set={(value) => set(field, value)}
      isSet={answers[field]}
      error={fieldProblem(error, field)}
    />
  );
}

/** The setup goes on meanwhile; until the server is added it is a to-do. */
function ToChannels({ channel }: { channel: string }) {
  const name = otherServerName(channel);
  if (name === undefined) return null;
  return (
    <Alert mt="sm" color="blue" title={`Add the ${name} server under Channels`}>
      <Words size="sm">
        Add it now in a new tab, or after this setup. The to-do list shows it until you add it.{' '}
        <Anchor href="/channels" target="_blank" size="sm">
          Go to channels
        </Anchor>
      </Words>
    </Alert>
  );
}

/** Left out when it is set already and nothing new was typed. */
const secret = <Name extends string>(name: Name, draft: Draft): { [Key in Name]?: string } =>
  (draft[name] ? { [name]: draft[name] } : {}) as { [Key in Name]?: string };
const isGiven = (values: Draft, ...fields: string[]): boolean =>
  fields.every((field) => (values[field] ?? '').trim() !== '');

export const FORMS: Readonly<Partial<Record<StepName, StepForm>>> = {
  get_started: {
    fields: ['channel'],
    Fields: ({ answers, draft, set, error }) => (
      <Radio.Group
        label="How Odette reaches your devices"
        value={valuesOf('get_started', answers, draft)['channel'] ?? ''}
        onChange={(value) => set('channel', value)}
        error={fieldProblem(error, 'channel')}
      >
        <Stack gap="xs" mt="xs">
          {SETUP_CHANNELS.map((channel) => {
            const { name, can, cannot } = CHANNEL_WORDS[channel];
            return <Radio key={channel} value={channel} label={name} description={`${can} ${cannot}`} />;
          })}
        </Stack>
        <ToChannels channel={valuesOf('get_started', answers, draft)['channel'] ?? ''} />
      </Radio.Group>
    ),
    read: ({ channel }) => ({
      step: 'get_started',
      channel: SETUP_CHANNELS.find((known) => known === channel) ?? 'built_in',
    }),
  },
  okta_domain: {
    fields: ['domain'],
    Fields: (props) => (
      <Text {...props} step="okta_domain" field="domain" label="Okta domain" example="acme.okta.com" />
    ),
    read: ({ domain = '' }) => (domain.trim() === '' ? undefined : { step: 'okta_domain', domain }),
  },
  credentials_kind: {
    fields: ['credentialsKind'],
    Fields: ({ answers, draft, set }) => (
      <Radio.Group
        label="How Odette signs in to your tenant"
        value={valuesOf('credentials_kind', answers, draft)['credentialsKind'] ?? ''}
        onChange={(value) => set('credentialsKind', value)}
      >
        <Stack gap="xs" mt="xs">
          <Radio
            value="api_services_app"
            label="Your own API Services app"
            description="Odette creates a key pair; you paste the public key into Okta. Works in every tenant."
          />
          <Radio
            value="api_service_integration"
            label="API service integration"
            description="Client ID and client secret. Only where Odette is listed in the Okta Integration Network."
          />
        </Stack>
      </Radio.Group>
    ),
    read: ({ credentialsKind }) => ({
      step: 'credentials_kind',
      credentialsKind:
        credentialsKind === 'api_service_integration' ? 'api_service_integration' : 'api_services_app',
    }),
  },
  credentials: {
    fields: ['clientId', 'clientSecret'],
    Fields: (props) => (
      <>
        <Text {...props} step="credentials" field="clientId" label="Client ID" example="0oa…" />
        {props.answers.credentialsKind !== 'api_services_app' && (
          <Secret {...props} field="clientSecret" label="Client secret" />
        )}
      </>
    ),
    read: (values, answers) => {
      const needsSecret = answers.credentialsKind !== 'api_services_app' && !answers.clientSecret;
      if (!isGiven(values, 'clientId', ...(needsSecret ? ['clientSecret'] : []))) return undefined;
      return { step: 'credentials', clientId: values['clientId'] ?? '', ...secret('clientSecret', values) };
    },
  },
  platforms: {
    fields: ['platforms'],
    Fields: ({ answers, draft, set, error }) => (
      <Checkbox.Group
        label="Platforms"
        value={(valuesOf('platforms', answers, draft)['platforms'] ?? '').split(' ').filter(Boolean)}
        onChange={(chosen) => set('platforms', chosen.join(' '))}
        error={fieldProblem(error, 'platforms')}
      >
        <Stack gap="xs" mt="xs">
          {(['macOS', 'iOS'] as const).map((platform) => (
            <Checkbox key={platform} value={platform} label={PLATFORM_LABELS[platform]} />
          ))}
        </Stack>
      </Checkbox.Group>
    ),
    read: ({ platforms = '' }) => {
      const chosen = (['macOS', 'iOS'] as const).filter((platform) =>
        platforms.split(' ').includes(platform),
      );
      return chosen.length === 0 ? undefined : { step: 'platforms', platforms: chosen };
    },
  },
  macos: {
    fields: ['scepUrl', 'challengeUrl', 'username', 'password'],
    Fields: (props) => (
      <>
        <Text {...props} step="macos" field="scepUrl" label="SCEP URL" example="https://…" />
        <Text {...props} step="macos" field="challengeUrl" label="Challenge URL" example="https://…" />
        <Text {...props} step="macos" field="username" label="Username" />
        <Secret {...props} field="password" label="Password" />
      </>
    ),
    read: (values, answers) =>
      isGiven(values, 'scepUrl', 'challengeUrl', 'username', ...(answers.password ? [] : ['password']))
        ? {
            step: 'macos',
            scepUrl: (values['scepUrl'] ?? '').trim(),
            challengeUrl: (values['challengeUrl'] ?? '').trim(),
            username: values['username'] ?? '',
            ...secret('password', values),
          }
        : undefined,
  },
  ios: {
    fields: ['secretKey', 'providerName'],
    Fields: (props) => (
      <>
        <Secret {...props} field="secretKey" label="Secret key" description="At least 8 characters." />
        <Text
          {...props}
          step="ios"
          field="providerName"
          label="Device management provider"
          description="As entered in Okta; its users see it."
        />
      </>
    ),
    read: (values, answers) =>
      isGiven(values, 'providerName', ...(answers.secretKey ? [] : ['secretKey']))
        ? { step: 'ios', providerName: values['providerName'] ?? '', ...secret('secretKey', values) }
        : undefined,
  },
};

// Whether something is an answer of the wizard: the API checks what people enter, a workflow what reaches it. Pure.
import {
  CREDENTIALS_KINDS,
  PREREQUISITES,
  SETUP_CHANNELS,
  SETUP_STEPS,
  type SetupAnswer,
  type SetupStep,
} from './setup-wizard.ts';

type Check = (value: unknown) => boolean;

/** As much as the API takes of a URL, the longest of the fields. */
const MAX_LENGTH = 4_096;
const PLATFORMS = ['macOS', 'iOS'];

const text: Check = (value) => typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (known: readonly unknown[]): Check =>
  (value) =>
    known.includes(value);
const listOf =
  (known: readonly unknown[]): Check =>
  (value) =>
    Array.isArray(value) && value.length <= known.length && value.every((each) => known.includes(each));
const texts: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(text);

const FIELDS: Readonly<Record<SetupStep | 'go_to', Readonly<Record<string, Check>>>> = {
  get_started: { channel: optional(oneOf(SETUP_CHANNELS)) },
  okta_domain: { domain: text },
  credentials_kind: {
    credentialsKind: oneOf(CREDENTIALS_KINDS),
    publicJwk: optional(texts),
    secretId: optional(text),
  },
  okta_tasks: {},
  credentials: { clientId: text, secretId: text },
  connect: { confirmed: listOf(PREREQUISITES) },
  platforms: { platforms: (value) => listOf(PLATFORMS)(value) && (value as unknown[]).length > 0 },
  macos: { scepUrl: text, challengeUrl: text, username: text, secretId: text },
  ios: { secretId: text, providerName: text },
  complete: {},
  go_to: { target: oneOf(SETUP_STEPS) },
};

export function isSetupAnswer(value: unknown): value is SetupAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const answer = value as Readonly<Record<string, unknown>>;
  const { step } = answer;
  if (typeof step !== 'string' || !Object.hasOwn(FIELDS, step)) return false;
  const checks = FIELDS[step as keyof typeof FIELDS];
  return Object.entries(checks).every(([field, check]) => check(answer[field]));
}

// What an entry of the audit trail says, as a sentence without its actor: `renamed the blueprint “Team 2”`. Every action that is written has
// its sentence here; test/audit-actions.test.ts compares.
import { FAILURES, type FailureCode } from './failures.ts';
import { plural } from './plural.ts';

export interface AuditSubject {
  readonly action: string;
  /** With its kind: `the blueprint “Team 2”`; undefined: the entry has none. */
  readonly what: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * `{what}` is the subject, `{target}` the subject or else the number of devices, `{devices}` that number; any other name is a field of the
 * entry's detail, in quotation marks. What stands in brackets is left out where one of its fields is missing.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  'apps_and_books.set': 'set the Apps and Books token[ of {organization}]',
  'blueprint.added': 'created {what}',
  'blueprint.removed': 'deleted the blueprint {name}',
  'blueprint.renamed': 'renamed {what}',
  'channel.added': 'added {what}',
  'channel.changed': 'changed {what}',
  'channel.devices_asked': 'adopted devices of {what}',
  'channel.read': 'requested a read of the devices of {what}',
  'channel.removed': 'removed {what}',
  'bootstrap_token.deleted': 'withdrew its Bootstrap Token',
  'bootstrap_token.escrowed': 'stored its Bootstrap Token',
  'bootstrap_token.given_back': 'read its Bootstrap Token',
  'certificate.renewal_asked': 'requested a new certificate for {target}',
  'certificate.stalled': 'found a renewal that did not start, and started it, for {what}',
  'device.changed': 'changed {what}',
  'device.check_asked': 'requested a check of {target}',
  'device.forgotten': 'deleted {what}',
  'device.moved': 'moved {target}[ to the blueprint {blueprint}]',
  'device.okta_asked': 'asked Okta about {what}',
  'device.removed': 'removed {target} from Okta Device Trust',
  'device_address.changed': 'started to use another address for devices',
  'enrollment.again': 'started its enrollment again',
  'enrollment.checked_out': 'left management',
  'enrollment.code_used': 'issued an enrollment profile for {what}',
  'enrollment.new': 'started to enroll',
  'enrollment.refused': 'refused to enroll {what}[: {reason}]',
  'enrollment.renewal': 'renewed its MDM identity',
  'enrollment.return': 'enrolled again, as an admin allowed',
  'enrollment.return_allowed': 'allowed {what} to enroll again',
  'enrollment.return_dropped':
    'dropped the request of {what} to enroll again: it uses its earlier enrollment',
  'enrollment.return_refused': 'refused to let {what} enroll again',
  'enrollment.takeover': 'enrolled with a code that an admin made for it',
  'enrollment_code.made': 'created an enrollment code for {what}',
  'enrollment_code.revoked': 'revoked {what}',
  'fleet_rollout.completed': 'completed {what}',
  'fleet_rollout.halted': 'halted {what}',
  'fleet_rollout.steered': 'gave the order {order} to {what}',
  'identity.used_elsewhere': 'saw the MDM identity of {what} on another device',
  'integration.added': 'connected {what}',
  'integration.authority_changed': 'saw that the certificate authority of {what} changed[: {text}]',
  'integration.changed': 'changed {what}',
  'integration.checked': 'checked the prerequisites of {what}',
  'integration.removed': 'disconnected the integration {integration}',
  'library_item.added': 'added {what}',
  'library_item.removed': 'removed {what}',
  'library_item.saved': 'changed {what}',
  'notification_target.added': 'added the notification target {name}',
  'notification_target.changed': 'changed the notification target {name}',
  'notification_target.deleted': 'deleted the notification target {name}',
  'notification_target.tested': 'sent a test to the notification target {name}',
  'organization.changed': 'changed the name or the logo of the organization',
  'person.added': 'added {what} with the role {role}',
  'person.changed': 'changed {what}',
  'person.first_admin_made': 'became the first admin',
  'person.password_changed': 'changed their password',
  'person.recovery_codes_made': 'created new recovery codes',
  'person.second_factor_off': 'turned their second factor off',
  'person.second_factor_on': 'turned their second factor on',
  'person.second_factor_reset': 'reset the second factor of {what}',
  'platform.removed': 'removed {platform} from {what}',
  'push_certificate.request_sent': 'sent the push certificate request to {service}',
  'push_certificate.request_signed': 'signed the push certificate request[ as {vendor}]',
  'push_certificate.requested': 'created a push certificate request',
  'push_certificate.set': 'set the push certificate {topic}',
  'reissue.halted': 'halted automatic re-issues of {platform} for {what}',
  'reissue.resumed': 'resumed automatic re-issues of {platform} for {what}',
  'removal.asked': 'started to remove [{platform} from ]{what}',
  'removal.all_at_once': 'started the removal of [{platform} from ]{what} without the delay',
  'removal.halted': 'halted the removal of [{platform} from ]{what}',
  'removal.resume': 'resumed the removal of [{platform} from ]{what}',
  'removal.stop': 'stopped the removal of [{platform} from ]{what}',
  'removal.undo': 'undid the removal of [{platform} from ]{what}',
  'replay.stopped': 'stopped a replay',
  'rollout.replayed': 'replayed the failed rollout of {target}',
  'rollout.started': 'started the rollout of {target}',
  'secret.destroyed': 'destroyed the old value of a rotated secret',
  'secret.refused': 'refused to open {kind}[ for “{purpose}”]',
  'secret.rotation_abandoned': 'abandoned the rotation of {kind} of {what}',
  'secret.rotation_advanced': 'moved the rotation of {kind} of {what} to {status}',
  'secret.rotation_committed': 'put the new value of {kind} of {what} into use',
  'secret.rotation_started': 'started to rotate {kind} of {what}',
  'secret.set': 'stored {kind}',
  'secret.used': 'used {kind}[ for “{purpose}”]',
  'session.refused': 'refused a sign-in[ as {name}]',
  'session.started': 'signed in[ from {address}]',
  'setup.abandoned': 'abandoned {what} at the step {step}',
  'setup.answered': 'answered the step {step} of {what}',
  'setup.completed': 'completed {what}',
  'setup.response_refused': 'gave an answer that Okta refused at the step {step} of {what}',
  'sign_in_policy.changed': 'changed the sign-in policy',
  'temporal.body_refused': 'ignored the message {name}, which {what} does not accept',
  'temporal.message_sealed': 'sealed the message {name} for {what}',
  'temporal.refused': 'ignored the message {name} to {what}: Odette did not seal it',
  'temporal.restored': 'restored what somebody changed in Temporal',
  'token.made': 'created the API token {name} with the role {role}',
  'token.revoked': 'revoked {what}',
};

/** Of actions: those with a sentence. */
export const AUDITED_ACTIONS: readonly string[] = Object.keys(SENTENCES);

/** Words of ours: `okta_domain`. */
const WORDS = ['role', 'status', 'step', 'order'];
/** Written as they are; any other field is a name. */
const PLAIN = ['platform', 'text', 'reason', 'purpose', 'address', 'service'];

export function auditText({ action, what, detail }: AuditSubject): string {
  const devices = deviceCount(detail['devices']);
  const known: Readonly<Record<string, string | undefined>> = {
    what: what ?? '–',
    devices,
    target: what ?? devices,
  };
  const valueOf = (name: string): string | undefined =>
    name in known ? known[name] : fieldText(name, detail[name]);
  const fill = (template: string) =>
    template.replace(/\{(\w+)\}/g, (_all, name: string) => valueOf(name) ?? '–');
  const optional = (_all: string, part: string) =>
    [...part.matchAll(/\{(\w+)\}/g)].some(([, name = '']) => valueOf(name) === undefined) ? '' : fill(part);
  return fill((SENTENCES[action] ?? action).replace(/\[([^\]]*)\]/g, optional));
}

const deviceCount = (count: unknown): string =>
  typeof count === 'number' ? plural(count, 'device') : 'devices';

function fieldText(name: string, value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (name === 'reason' && value in FAILURES) return lowerFirst(FAILURES[value as FailureCode].title);
  if (name === 'kind') return `the ${SECRET_NAMES[value] ?? wordsOf(value)}`;
  if (WORDS.includes(name)) return wordsOf(value);
  return PLAIN.includes(name) ? value : `“${value}”`;
}

/** Without the full stop, to stand within a sentence. */
const lowerFirst = (title: string): string =>
  (title.slice(0, 1).toLowerCase() + title.slice(1)).replace(/\.$/, '');

const SECRET_NAMES: Readonly<Record<string, string>> = {
  okta_client_secret: 'Okta client secret',
  okta_private_key: 'Okta private key',
  challenge_password: 'challenge password',
  ios_secret_key: 'iOS secret key',
  push_key: 'key of the push certificate',
  apps_and_books_token: 'Apps and Books token',
  authority_key: 'key of the certificate authority',
  profile_signing_key: 'profile signing key',
  instance_key: 'instance key',
  one_time_code_key: 'key of a second factor',
  channel_api_key: 'API key of an MDM server',
  channel_webhook_key: 'webhook key of an MDM server',
  webhook_access: 'URL and signing key of a webhook',
  slack_url: 'URL of a Slack webhook',
  smtp_password: 'password of a mail server',
};

/** `removalDelayMinutes` and `okta_domain` as people read them. */
export const wordsOf = (name: string): string =>
  name
    .replace(/Id(s?)$/, '$1')
    .replace(/([a-z])([A-Z])/g, (_all, end: string, begin: string) => `${end} ${begin.toLowerCase()}`)
    .replaceAll('_', ' ');

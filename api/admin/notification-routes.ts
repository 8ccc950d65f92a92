// Where notifications go: added, changed, tested, deleted; and what became of each notification.
import { isIP } from 'node:net';
import type { z } from 'zod';
import { newSigningKey } from '../../adapters/notify/standard-webhooks.ts';
import { isAllowListed, isPublicAddress, normalizedHostname } from '../../adapters/okta/host.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import {
  dropSecret,
  listSecretFacts,
  storeSecret,
  type NewSecret,
} from '../../adapters/store/base/secrets.ts';
import {
  appendNotification,
  dropWaiting,
  listNotifications,
} from '../../adapters/store/notifications/notifications.ts';
import {
  addTarget,
  changeTarget,
  findTarget,
  listTargets,
  removeTarget,
  type NewTarget,
  type TargetRow,
} from '../../adapters/store/notifications/targets.ts';
import { subjectOf } from '../../domain/notification-message.ts';
import { emailAddressOf } from '../../domain/notification-target.ts';
import type { notifications } from '../contract/notifications.ts';
import type { Caller } from '../http/caller.ts';
import { fieldProblem, notFound } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { failureOrNull } from './failure-view.ts';
import { secretSet } from './setup-view.ts';

type TargetBody = z.output<(typeof notifications)['createNotificationTarget']['body']>;
type Settings = Pick<AdminDependencies, 'sealer' | 'allowedPrivateHosts'>;

export function notificationHandlers({
  sealer,
  allowedPrivateHosts,
  consoleUrl,
}: AdminDependencies): Handlers<typeof notifications> {
  const settings = { sealer, allowedPrivateHosts };
  return {
    listNotificationTargets: async ({ sql }) => ({
      items: await Promise.all((await listTargets(sql)).map((each) => show(sql, each))),
    }),

    createNotificationTarget: async ({ sql, body, caller }) => {
      const { row, signingKey } = await readTarget(sql, settings, body, caller, undefined);
      const id = await addTarget(sql, row);
      await audit(sql, caller, 'notification_target.added', id, row);
      return { ...(await show(sql, await existing(sql, id))), signingKey };
    },

    updateNotificationTarget: async ({ sql, params, body, caller }) => {
      const before = await existing(sql, params.id);
      if (before.kind !== body.kind)
        throw fieldProblem('request.conflict', 'kind', {
          detail: 'The kind of a target does not change. Add another target.',
        });
      const { row, signingKey, isElsewhere } = await readTarget(sql, settings, body, caller, before);
      await changeTarget(sql, before.id, row);
      if (isElsewhere || !row.isOn) await dropWaiting(sql, before.id);
      if (before.secretId !== null && row.secretId === null) await dropSecret(sql, before.secretId);
      await audit(sql, caller, 'notification_target.changed', before.id, row);
      return { ...(await show(sql, await existing(sql, before.id))), signingKey };
    },

    deleteNotificationTarget: async ({ sql, params, caller }) => {
      const target = await existing(sql, params.id);
      await removeTarget(sql, target.id);
      if (target.secretId !== null) await dropSecret(sql, target.secretId);
      await audit(sql, caller, 'notification_target.deleted', target.id, target);
      return undefined;
    },

    testNotificationTarget: async ({ sql, params, caller }) => {
      const target = await existing(sql, params.id);
      const message = { type: 'test', at: new Date().toISOString(), changes: [], consoleUrl } as const;
      const id = await appendNotification(sql, target.id, message);
      await audit(sql, caller, 'notification_target.tested', target.id, target);
      return { id };
    },

    listNotifications: async ({ sql, params, query }) => {
      const target = await existing(sql, params.id);
      const rows = await listNotifications(sql, target.id, query.limit);
      return {
        items: rows.map(({ message, failureCode, ...row }) => ({
          ...row,
          subject: subjectOf(message),
          failure: failureOrNull(failureCode),
        })),
      };
    },
  };
}

async function existing(sql: Sql, id: string): Promise<TargetRow> {
  const target = await findTarget(sql, id);
  if (target === undefined) throw notFound('notification target');
  return target;
}

async function show(sql: Sql, target: TargetRow) {
  const { id, name, kind, isOn, address, settings, rules, deliveredAt, waiting, failureDetail } = target;
  const facts = target.secretId === null ? undefined : await listSecretFacts(sql, [target.secretId]);
  return {
    id,
    name,
    kind,
    isOn,
    address,
    email: settings && { ...settings, to: [...settings.to] },
    rules: { ...rules, topics: [...rules.topics] },
    secret: secretSet(facts?.get(target.secretId ?? '')) ?? null,
    deliveredAt,
    waiting,
    failure: failureOrNull(target.failureCode),
    failureDetail,
  };
}

const audit = (
  sql: Sql,
  { actor }: Caller,
  action: string,
  id: string,
  { name, kind, address, isOn, rules }: NewTarget,
): Promise<void> =>
  appendAudit(sql, {
    actor,
    action,
    subject: `notification_target:${id}`,
    detail: { name, kind, address, isOn, rules },
  });

interface ReadTarget {
  readonly row: NewTarget;
  /** Shown once. */
  readonly signingKey: string | null;
  /** Its notifications go to another place now. */
  readonly isElsewhere: boolean;
}

/** @throws ProblemError at the field: a name that is taken, an address that is refused, a secret that must be entered (again) */
async function readTarget(
  sql: Sql,
  settings: Settings,
  body: TargetBody,
  { actor }: Caller,
  before: TargetRow | undefined,
): Promise<ReadTarget> {
  const namesake = (await listTargets(sql)).find((each) => each.name === body.name && each.id !== before?.id);
  if (namesake !== undefined)
    throw fieldProblem('request.conflict', 'name', { detail: 'Another target has this name.' });
  const store = async (secret: SecretOfTarget): Promise<string> => {
    const known = before?.secretId;
    const stored = await storeSecret(sql, settings.sealer, {
      ...secret,
      by: actor,
      ...(known && { id: known }),
    });
    return stored.id;
  };
  return body.kind === 'email'
    ? readEmail(settings, body, before, store)
    : readUrl(settings, body, before, store);
}

type SecretOfTarget = Pick<NewSecret, 'kind' | 'value'> & { readonly address: string };
type Store = (secret: SecretOfTarget) => Promise<string>;

async function readEmail(
  { allowedPrivateHosts }: Settings,
  { name, kind, isOn, rules, email, password }: Extract<TargetBody, { kind: 'email' }>,
  before: TargetRow | undefined,
  store: Store,
): Promise<ReadTarget> {
  assertMayBeCalled(allowedPrivateHosts, email.host, String(email.port), 'email.host');
  const goesTo = emailAddressOf(email);
  const isElsewhere = before?.settings == null || emailAddressOf(before.settings) !== goesTo;
  if (email.username === null && password !== undefined)
    throw fieldProblem('request.invalid', 'password', { detail: 'A password needs a user name.' });
  const known = isElsewhere ? null : before.secretId;
  if (email.username !== null && password === undefined && known === null)
    throw fieldProblem('secrets.other_address', 'password');
  const secretId =
    password === undefined ? known : await store({ kind: 'smtp_password', value: password, address: goesTo });
  const address = `${email.host.toLowerCase()}:${email.port}`;
  return {
    row: { name, kind, isOn, rules, address, settings: email, secretId },
    signingKey: null,
    isElsewhere,
  };
}

async function readUrl(
  { allowedPrivateHosts }: Settings,
  { name, kind, isOn, rules, url }: Exclude<TargetBody, { kind: 'email' }>,
  before: TargetRow | undefined,
  store: Store,
): Promise<ReadTarget> {
  const shared = { name, kind, isOn, rules, settings: null };
  if (url === undefined) {
    if (before === undefined) throw fieldProblem('request.invalid', 'url', { detail: 'Enter the URL.' });
    const { address, secretId } = before;
    return { row: { ...shared, address, secretId }, signingKey: null, isElsewhere: false };
  }
  const { hostname, port, host, username, password } = new URL(url);
  if (username !== '' || password !== '')
    throw fieldProblem('request.invalid', 'url', { detail: 'Enter a URL without a user name or password.' });
  assertMayBeCalled(allowedPrivateHosts, hostname, port, 'url');
  const kept = (secretId: string, signingKey: string | null): ReadTarget => ({
    row: { ...shared, address: host, secretId },
    signingKey,
    isElsewhere: true,
  });
  switch (kind) {
    case 'webhook': {
      const signingKey = newSigningKey();
      const value = JSON.stringify({ url, signingKey });
      return kept(await store({ kind: 'webhook_access', value, address: host }), signingKey);
    }
    case 'slack':
      return kept(await store({ kind: 'slack_url', value: url, address: host }), null);
  }
}

/** What can be known without a look-up; the delivery itself connects to no private address. */
function assertMayBeCalled(allowed: readonly string[], hostname: string, port: string, field: string): void {
  if (isAllowListed(allowed, hostname, port)) return;
  const host = normalizedHostname(hostname);
  const isRefused =
    isIP(host) === 0 ? host === 'localhost' || host.endsWith('.localhost') : !isPublicAddress(host);
  if (isRefused) throw fieldProblem('notify.address_refused', field);
}

// Notifications: where people are told what needs them, of what, and what became of each.
import { z } from 'zod';
import { SMTP_SECURITIES, TARGET_KINDS, TOPICS } from '../../domain/notification-target.ts';
import { endpoint } from './endpoint.ts';
import { Failure, id, idParams, instant, limit, line, list, SecretSet, secretText } from './fields.ts';

const tag = 'notifications';
const count = z.number().int();

const Rules = z
  .strictObject({
    /** installation: what concerns the whole fleet (alarms). devices: causes that devices share. */
    topics: z.array(z.enum(TOPICS)).min(1).max(TOPICS.length),
    /** Of a cause that devices share: fewer are not told. */
    minDevices: z.number().int().min(1).max(1_000_000),
    /** Also notify when it is resolved. */
    tellsWhenDone: z.boolean(),
  })
  .meta({ id: 'NotificationRules' });

const hostname = line(253).regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, 'is not a host name');
const mailbox = line(320).regex(/^[^\s@<>,;]+@[^\s@<>,;]+$/, 'is not an email address');

const Email = z
  .strictObject({
    host: hostname,
    port: z.number().int().min(1).max(65_535),
    /** tls: from the first byte. starttls: refused where the server does not offer it. */
    security: z.enum(SMTP_SECURITIES),
    /** null: the server asks for no password. */
    username: line(320).nullable(),
    from: mailbox,
    to: z.array(mailbox).min(1).max(50),
  })
  .meta({ id: 'EmailSettings' });

const secretUrl = secretText(2_048).refine(
  (text) => URL.canParse(text) && new URL(text).protocol === 'https:',
  {
    message: 'is not a URL that begins with https://',
  },
);
const shared = { name: line(100), isOn: z.boolean(), rules: Rules };

/** A secret that is left out stays as it is; without one that must be entered again the change is refused. */
const TargetBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), ...shared, url: secretUrl.optional() }),
  z.strictObject({ kind: z.literal('slack'), ...shared, url: secretUrl.optional() }),
  z.strictObject({
    kind: z.literal('email'),
    ...shared,
    email: Email,
    password: secretText(1_024).optional(),
  }),
]);

const Target = z
  .object({
    id,
    name: z.string(),
    kind: z.enum(TARGET_KINDS),
    isOn: z.boolean(),
    /** host, with its port where it is not 443: the rest of a URL may be a password. */
    address: z.string(),
    email: Email.nullable(),
    rules: Rules,
    /** The URL, or the password; null: the mail server asks for none. */
    secret: SecretSet.nullable(),
    deliveredAt: instant.nullable(),
    /** Not delivered yet. */
    waiting: count,
    /** Of the newest notification; null: it arrived, or none was sent. */
    failure: Failure.nullable(),
    /** e.g. `status 500, answer …` */
    failureDetail: z.string().nullable(),
  })
  .meta({ id: 'NotificationTarget' });

const SavedTarget = Target.extend({
  /** Of a webhook whose URL is new: the receiver verifies signatures with it. Shown only in this response. */
  signingKey: z.string().nullable(),
}).meta({ id: 'SavedNotificationTarget' });

const Notification = z
  .object({
    id,
    subject: z.string(),
    createdAt: instant,
    attempts: count,
    /** null: delivered or given up. */
    nextAttemptAt: instant.nullable(),
    endedAt: instant.nullable(),
    outcome: z.enum(['delivered', 'given_up']).nullable(),
    /** Of the last attempt. */
    failure: Failure.nullable(),
    failureDetail: z.string().nullable(),
  })
  .meta({ id: 'Notification' });

export const notifications = {
  listNotificationTargets: endpoint({
    tag,
    summary: 'Notification targets, with the outcome of their last notifications',
    method: 'get',
    path: '/api/notification-targets',
    access: 'admin',
    status: 200,
    response: list(Target),
  }),
  createNotificationTarget: endpoint({
    tag,
    summary:
      'Adds a webhook, a Slack channel or mailboxes; only this response shows the signing key of a webhook',
    method: 'post',
    path: '/api/notification-targets',
    access: 'admin',
    body: TargetBody,
    status: 201,
    response: SavedTarget,
    problems: ['request.conflict', 'notify.address_refused', 'secrets.other_address'],
    showsSecret: true,
  }),
  updateNotificationTarget: endpoint({
    tag,
    summary:
      'Changes a target. A new webhook URL gets a new signing key; a new mail server or user name needs the password again',
    method: 'put',
    path: '/api/notification-targets/{id}',
    access: 'admin',
    params: idParams,
    body: TargetBody,
    status: 200,
    response: SavedTarget,
    problems: ['request.conflict', 'notify.address_refused', 'secrets.other_address'],
    showsSecret: true,
  }),
  deleteNotificationTarget: endpoint({
    tag,
    summary: 'Deletes a target and its undelivered notifications',
    method: 'delete',
    path: '/api/notification-targets/{id}',
    access: 'admin',
    params: idParams,
    status: 204,
  }),
  testNotificationTarget: endpoint({
    tag,
    summary: 'Sends a test in the same way as any notification; the list of notifications shows its outcome',
    method: 'post',
    path: '/api/notification-targets/{id}/test',
    access: 'admin',
    params: idParams,
    status: 202,
    response: z.object({ id }),
  }),
  listNotifications: endpoint({
    tag,
    summary: 'The notifications of a target, newest first, with their attempts',
    method: 'get',
    path: '/api/notification-targets/{id}/notifications',
    access: 'admin',
    params: idParams,
    query: z.strictObject({ limit }),
    status: 200,
    response: list(Notification),
  }),
};

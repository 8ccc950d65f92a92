// Opens a notification target's secret and delivers, through the guard of all outward requests.
import { connect as connectTo, isIP, type Socket } from 'node:net';
import { guardedHttp } from '../adapters/okta/guarded-http.ts';
import { isAllowListed, isPublicAddress, normalizedHostname, publicOnly } from '../adapters/okta/host.ts';
import { deliverEmail, isTlsCode, type Connect } from '../adapters/notify/email.ts';
import {
  deliverToSlack,
  deliverWebhook,
  type Post,
  type WebhookAccess,
} from '../adapters/notify/http-delivery.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { openSecret, type SecretKind } from '../adapters/store/base/secrets.ts';
import type { ClaimedNotification } from '../adapters/store/notifications/notifications.ts';
import type { TargetRow } from '../adapters/store/notifications/targets.ts';
import { CataloguedError, type FailureCode } from '../domain/failures.ts';
import { emailAddressOf } from '../domain/notification-target.ts';
import type { Sealer } from '../domain/sealer.ts';

export type SendNotification = (target: TargetRow, notification: ClaimedNotification) => Promise<void>;

/** What it returns throws CataloguedError `notify.*`, `secrets.*`. */
export function notificationSender(
  database: Database,
  sealer: Sealer,
  allowedPrivateHosts: readonly string[],
): SendNotification {
  const post = guardedPost(allowedPrivateHosts);
  const connect = guardedConnect(allowedPrivateHosts);
  const open = async (target: TargetRow, kind: SecretKind, address: string): Promise<string> => {
    if (target.secretId === null) throw new CataloguedError('secrets.not_found');
    const { value } = await openSecret(database, sealer, target.secretId, {
      actor: 'system',
      purpose: 'notification',
      kind,
      owner: { notificationTargetId: target.id },
      address,
    });
    return value.toString('utf8');
  };
  return async (target, { id, message }) => {
    switch (target.kind) {
      case 'webhook': {
        const access = JSON.parse(await open(target, 'webhook_access', target.address)) as WebhookAccess;
        return deliverWebhook(post, access, id, message);
      }
      case 'slack':
        return deliverToSlack(post, await open(target, 'slack_url', target.address), message);
      case 'email': {
        const { settings } = target;
        if (settings === null) throw new CataloguedError('notify.address_refused');
        const password =
          settings.username === null ? null : await open(target, 'smtp_password', emailAddressOf(settings));
        return deliverEmail(connect, settings, password, id, message);
      }
    }
  };
}

/** What a receiver answers is not read further. */
const MAX_BYTES = 64 * 1024;
const MEANT: Partial<Record<FailureCode, FailureCode>> = {
  'okta.host_not_allowed': 'notify.address_refused',
  'okta.unexpected_response': 'notify.refused',
};

/** The guard speaks of Okta where this is any receiver. */
const guardedPost =
  (allowedPrivateHosts: readonly string[]): Post =>
  async (request) => {
    try {
      return await guardedHttp(allowedPrivateHosts).send({
        ...request,
        method: 'POST',
        maxBytes: MAX_BYTES,
        unreachable: 'notify.unreachable',
        isUnrecorded: true,
      });
    } catch (error) {
      if (!(error instanceof CataloguedError)) throw error;
      const isTls = isTlsCode(String(error.facts['reason'] ?? ''));
      const meant = isTls ? 'notify.tls_refused' : MEANT[error.code];
      throw meant === undefined ? error : new CataloguedError(meant, { facts: error.facts });
    }
  };

const CONNECT_MS = 10_000;

/** As the guard of HTTP does it: look-up and connection are one act. HTTPS_PROXY is for HTTPS; mail servers are reached directly. */
const guardedConnect =
  (allowedPrivateHosts: readonly string[]): Connect =>
  (host, port) =>
    new Promise<Socket>((connected, failed) => {
      const refused = () => new CataloguedError('notify.address_refused', { facts: { host } });
      const isAllowed = isAllowListed(allowedPrivateHosts, host, String(port));
      const literal = normalizedHostname(host);
      if (!isAllowed && isIP(literal) !== 0 && !isPublicAddress(literal)) return failed(refused());
      const socket = connectTo({ host: literal, port, ...(!isAllowed && { lookup: publicOnly }) });
      const timer = setTimeout(() => socket.destroy(new Error('time-out')), CONNECT_MS);
      socket.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (error instanceof CataloguedError) return failed(refused());
        const reason = error.code ?? error.message;
        failed(new CataloguedError('notify.unreachable', { facts: { host, reason } }));
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        connected(socket);
      });
    });

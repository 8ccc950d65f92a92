// Apple's push certificate: set, renewed, shown.
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { listSecretFacts, storeSecret } from '../../adapters/store/base/secrets.ts';
import {
  countEnrolledWith,
  currentPushCertificate,
  findPushCertificate,
  pushCertificatesInUse,
  storePushCertificate,
  type PushCertificateRow,
} from '../../adapters/store/devices/push-certificates.ts';
import {
  endPushCertificateRequest,
  findPushKey,
} from '../../adapters/store/devices/push-certificate-requests.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import type { AccessRightsPreset } from '../../domain/access-rights.ts';
import type { appleAccess } from '../contract/apple-access.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { daysLeft } from './apple-access.ts';
import { hashOf, readPushCertificate, type PushCertificateFile } from './push-certificate-file.ts';
import { secretSet } from './setup-view.ts';
import { plural } from '../../domain/plural.ts';

type Operations = Pick<typeof appleAccess, 'getPushCertificate' | 'setPushCertificate'>;

export function pushCertificateHandlers({ sealer }: AdminDependencies): Handlers<Operations> {
  const showPush = async (sql: Sql, row: PushCertificateRow) => {
    const facts = await listSecretFacts(sql, [row.keySecretId]);
    const { topic, accessRights, notAfter, setAt, refusedAt } = row;
    const inUse = await pushCertificatesInUse(sql);
    const others = [];
    for (const other of inUse.filter((one) => one.topic !== topic))
      others.push({
        topic: other.topic,
        notAfter: other.notAfter,
        daysLeft: daysLeft(other.notAfter),
        refusedAt: other.refusedAt,
        devices: await countEnrolledWith(sql, other.topic),
      });
    return {
      topic,
      accessRights,
      notAfter,
      daysLeft: daysLeft(notAfter),
      setAt,
      refusedAt,
      key: secretSet(facts.get(row.keySecretId)) ?? null,
      others,
    };
  };

  /** The key that came with the certificate, or the one that Odette made for the request, or that of the certificate it renews. */
  const keyOf = async (
    sql: Sql,
    { privateKeyPem, publicKeyHash, topic }: PushCertificateFile,
    by: string,
  ): Promise<string> => {
    if (privateKeyPem !== undefined)
      return (await storeSecret(sql, sealer, { kind: 'push_key', value: privateKeyPem, by })).id;
    const ofRequest = await findPushKey(sql, publicKeyHash);
    if (ofRequest !== undefined) return ofRequest;
    const renewed = await findPushCertificate(sql, topic);
    if (renewed && hashOf(readCertificate(renewed.certificatePem).publicKey).equals(publicKeyHash))
      return renewed.keySecretId;
    throw fieldProblem('apns.key_unknown', 'pem');
  };

  return {
    getPushCertificate: async ({ sql }) => {
      const row = await currentPushCertificate(sql);
      if (!row) throw new ProblemError('apns.certificate_missing');
      return showPush(sql, row);
    },

    setPushCertificate: async ({ sql, body, caller }) => {
      const file = readPushCertificate(body);
      const { certificatePem, topic, notAfter } = file;
      const before = await currentPushCertificate(sql);
      const saved = before && before.topic !== topic ? await countEnrolledWith(sql, before.topic) : 0;
      if (before && saved > 0 && body.confirmOtherTopic !== true)
        throw otherTopic(before.topic, topic, saved);
      const accessRights = chosenRights(body.accessRights, await findPushCertificate(sql, topic), before);
      const keySecretId = await keyOf(sql, file, caller.actor);
      await storePushCertificate(sql, { topic, certificatePem, keySecretId, accessRights, notAfter });
      await endPushCertificateRequest(sql, keySecretId);
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'push_certificate.set',
        detail: {
          topic,
          notAfter,
          accessRights,
          ...(before &&
            before.topic !== topic && { otherTopicBefore: before.topic, devicesOfOtherTopic: saved }),
        },
      });
      await appendEvent(sql, { kind: 'push_certificate.changed', subject: `topic:${topic}` });
      const row = await currentPushCertificate(sql);
      if (!row) throw new ProblemError('apns.certificate_missing');
      return showPush(sql, row);
    },
  };
}

/** Devices that are enrolled with a topic refuse a right that is added, so its first certificate decides. */
function chosenRights(
  wanted: AccessRightsPreset | undefined,
  ofTopic: PushCertificateRow | undefined,
  before: PushCertificateRow | undefined,
): AccessRightsPreset {
  if (ofTopic && wanted !== undefined && wanted !== ofTopic.accessRights)
    throw fieldProblem('apns.access_rights_fixed', 'accessRights', {
      detail: `Devices enroll with ${ofTopic.topic} and “${ofTopic.accessRights}”.`,
    });
  const chosen = ofTopic?.accessRights ?? wanted ?? before?.accessRights;
  if (chosen === undefined) throw fieldProblem('apns.access_rights_missing', 'accessRights');
  return chosen;
}

const otherTopic = (topicBefore: string, topic: string, devices: number): ProblemError =>
  new ProblemError('apns.other_topic', {
    detail: `The topic of this certificate is ${topic}; ${plural(devices, 'device is', 'devices are')} enrolled with ${topicBefore}.`,
    facts: { topic, topicBefore, devices },
  });

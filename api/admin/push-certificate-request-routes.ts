// The request for a push certificate: made, signed with a vendor's certificate, or sent to a public signing service and opened again.
import { createPrivateKey } from 'node:crypto';
import {
  checkSignedRequest,
  newCertificateRequest,
  signRequest,
  UnusableRequest,
} from '../../adapters/mdm/push-certificate-request.ts';
import {
  newRecipient,
  openSignedRequest,
  sendToSigningService,
} from '../../adapters/apns/signing-service.ts';
import { readCertificate, readCertificates, type Certificate } from '../../adapters/pki/certificate.ts';
import { newRsaKeyPair } from '../../adapters/pki/certificate-authority.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { openSecret, storeSecret } from '../../adapters/store/base/secrets.ts';
import {
  insertPushCertificateRequest,
  latestPushCertificateRequest,
  recordSentToSigningService,
  type PushCertificateRequestRow,
} from '../../adapters/store/devices/push-certificate-requests.ts';
import { CataloguedError } from '../../domain/failures.ts';
import type { pushCertificateRequests } from '../contract/push-certificate-requests.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { hashOf, readVendorCertificate } from './push-certificate-file.ts';

const show = ({ csrPem, createdAt, sentAt }: PushCertificateRequestRow) => ({
  csr: csrPem,
  createdAt,
  sentAt,
});

async function existingRequest(sql: Sql): Promise<PushCertificateRequestRow> {
  const row = await latestPushCertificateRequest(sql);
  if (!row) throw new ProblemError('apns.request_missing');
  return row;
}

const keyPem = (key: ReturnType<typeof createPrivateKey>): string =>
  key.export({ format: 'pem', type: 'pkcs8' }).toString();

export function pushCertificateRequestHandlers({
  database,
  sealer,
  signingServiceUrl,
}: AdminDependencies): Handlers<typeof pushCertificateRequests> {
  return {
    getPushCertificateRequest: async ({ sql }) => show(await existingRequest(sql)),

    createPushCertificateRequest: async ({ sql, caller }) => {
      const keyPair = await newRsaKeyPair();
      const value = keyPem(keyPair.privateKey);
      const { id } = await storeSecret(sql, sealer, { kind: 'push_key', value, by: caller.actor });
      await insertPushCertificateRequest(sql, {
        csrPem: newCertificateRequest(keyPair),
        publicKeyHash: hashOf(keyPair.publicKey),
        keySecretId: id,
      });
      await appendAudit(sql, { actor: caller.actor, action: 'push_certificate.requested' });
      return show(await existingRequest(sql));
    },

    signPushCertificateRequest: async ({ sql, body, caller }) => {
      const { csrPem } = await existingRequest(sql);
      const vendor = readVendorCertificate(body);
      const content = refusing('apns.vendor_certificate_invalid', 'chain', () =>
        signRequest(
          csrPem,
          vendor,
          [...chainIn(body.chain), ...('pem' in body ? chainIn(body.pem) : [])],
          new Date(),
        ),
      );
      await appendAudit(sql, {
        actor: caller.actor,
        action: 'push_certificate.request_signed',
        detail: { vendor: vendor.certificate.subject },
      });
      return { content };
    },

    sendPushCertificateRequest: async ({ body, caller }) => {
      const request = await existingRequest(database);
      const recipient = await newRecipient(new Date());
      const recipientPem = recipient.certificate.pem;
      const order = { ...body, csrPem: request.csrPem, recipientPem };
      await sendToSigningService(signingServiceUrl, order).catch(withReason);
      return database.inTransaction(async (sql) => {
        const value = keyPem(recipient.privateKey);
        const { id } = await storeSecret(sql, sealer, { kind: 'push_key', value, by: caller.actor });
        await recordSentToSigningService(sql, request.id, { pem: recipientPem, keySecretId: id });
        await appendAudit(sql, {
          actor: caller.actor,
          action: 'push_certificate.request_sent',
          detail: { service: new URL(signingServiceUrl).host },
        });
        return show(await existingRequest(sql));
      });
    },

    openPushCertificateRequest: async ({ sql, body, caller }) => {
      const request = await existingRequest(sql);
      const { csrPem } = request;
      const recipient = await recipientOf(sql, sealer, request, caller.actor);
      const content = refusing('apns.signed_request_invalid', 'file', () => {
        const opened = open(body.file, recipient);
        checkSignedRequest(opened, csrPem, new Date());
        return opened;
      });
      return { content };
    },
  };
}

/** In the service's own words, where it gives a reason. @throws what it was given, else */
function withReason(error: unknown): never {
  const reason = error instanceof CataloguedError ? error.facts['reason'] : undefined;
  if (!(error instanceof CataloguedError) || reason === undefined) throw error;
  throw new ProblemError(error.code, { detail: `The service says: ${reason}`, facts: error.facts });
}

/** @throws ProblemError the request was never sent to the signing service */
async function recipientOf(
  sql: Sql,
  sealer: AdminDependencies['sealer'],
  { recipientPem, recipientKeySecretId }: PushCertificateRequestRow,
  actor: string,
): Promise<Parameters<typeof openSignedRequest>[1]> {
  if (recipientPem === null || recipientKeySecretId === null) throw unsent();
  const { value } = await openSecret(sql, sealer, recipientKeySecretId, {
    actor,
    purpose: 'opening a signed push certificate request',
    kind: 'push_key',
    owner: { installation: true },
  });
  return { certificate: readCertificate(recipientPem), privateKey: createPrivateKey(value.toString()) };
}

const unsent = () =>
  fieldProblem('apns.signed_request_invalid', 'file', {
    detail: 'Odette never sent the current request to the signing service.',
  });

function open(file: string, recipient: Parameters<typeof openSignedRequest>[1]): string {
  try {
    return openSignedRequest(file, recipient);
  } catch {
    throw new UnusableRequest(
      'It is not the response of the signing service to the last request that Odette sent.',
    );
  }
}

function chainIn(pem: string | undefined): Certificate[] {
  try {
    return readCertificates(pem ?? '');
  } catch {
    throw fieldProblem('apns.vendor_certificate_invalid', 'chain', {
      detail: 'Odette cannot read a certificate of the chain.',
    });
  }
}

function refusing<Value>(
  code: 'apns.vendor_certificate_invalid' | 'apns.signed_request_invalid',
  field: string,
  work: () => Value,
): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof UnusableRequest) throw fieldProblem(code, field, { detail: error.message });
    throw error;
  }
}

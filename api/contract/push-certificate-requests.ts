// The request for a push certificate: made here, signed by an MDM vendor, carried to Apple's portal by a person.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { certificateFile, fileText, instant, secretText } from './fields.ts';

const tag = 'apple';

const PushCertificateRequest = z
  .object({
    /** PEM; its private key stays sealed in Odette. */
    csr: z.string(),
    createdAt: instant,
    /** When the public signing service took it; null: never. */
    sentAt: instant.nullable(),
  })
  .meta({ id: 'PushCertificateRequest' });

const SignedPushCertificateRequest = z
  .object({
    /** As identity.apple.com/pushcert takes it. */
    content: z.string(),
  })
  .meta({ id: 'SignedPushCertificateRequest' });

/** Certificates between the vendor's and Apple's root, and the root: PEM, in any order. */
const chain = fileText(64 * 1024).optional();

export const pushCertificateRequests = {
  getPushCertificateRequest: endpoint({
    tag,
    summary: 'The current request for a push certificate',
    method: 'get',
    path: '/api/push-certificate/request',
    access: 'admin',
    status: 200,
    response: PushCertificateRequest,
    problems: ['apns.request_missing'],
  }),
  createPushCertificateRequest: endpoint({
    tag,
    summary: 'Creates a key, which stays in Odette, and a request for a push certificate',
    method: 'post',
    path: '/api/push-certificate/request',
    access: 'admin',
    status: 201,
    response: PushCertificateRequest,
  }),
  signPushCertificateRequest: endpoint({
    tag,
    summary:
      "Signs the current request with an MDM vendor's certificate and key, which Odette does not store",
    method: 'post',
    path: '/api/push-certificate/request/sign',
    access: 'admin',
    body: certificateFile({ chain }),
    status: 200,
    response: SignedPushCertificateRequest,
    problems: ['apns.request_missing', 'apns.vendor_certificate_invalid'],
  }),
  sendPushCertificateRequest: endpoint({
    tag,
    summary: 'Sends the current request to the public signing service, which responds by email',
    method: 'post',
    path: '/api/push-certificate/request/send',
    access: 'admin',
    body: z.strictObject({
      /** Registered at the service. */
      email: z.email().max(254),
      /** Of this Odette, from the service's operators. */
      key: secretText(1_024),
    }),
    status: 200,
    response: PushCertificateRequest,
    problems: ['apns.request_missing', 'apns.signing_service_unreachable', 'apns.signing_service_refused'],
    ownTransaction: true,
  }),
  openPushCertificateRequest: endpoint({
    tag,
    summary: 'Opens the file that the public signing service sent by email, and checks it as Apple would',
    method: 'post',
    path: '/api/push-certificate/request/open',
    access: 'admin',
    body: z.strictObject({ file: fileText(256 * 1024) }),
    status: 200,
    response: SignedPushCertificateRequest,
    problems: ['apns.request_missing', 'apns.signed_request_invalid'],
  }),
};

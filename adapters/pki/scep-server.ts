// The server side of SCEP (RFC 8894 §4) without its HTTP framework: the identity authority, and the sandbox's Okta authority.
import { CataloguedError } from '../../domain/failures.ts';
import type { KeyAndCertificate } from './certificate-authority.ts';
import type { Certificate } from './certificate.ts';
import type { Csr } from './csr.ts';
import {
  MESSAGE_TYPE,
  buildCertRep,
  openPkcsReq,
  readScepRequest,
  type FailInfo,
  type ScepRequest,
} from './scep-message.ts';
import { certificatesOnly } from './signed-data.ts';

export interface ScepServer {
  readonly authority: KeyAndCertificate;
  /** Signs and decrypts in the authority's place. */
  readonly registration?: KeyAndCertificate;
  /**
   * Checks the challenge and issues. A client that saw no response asks again with the same transaction id and key: it must
   * get the same certificate. What it throws is not turned into a SCEP failure: the client may try again later.
   */
  decide(csr: Csr, transactionId: string): Promise<Decision> | Decision;
}

/** A refusal becomes badRequest; its reason is for the operator, never for the client. */
type Decision = Certificate | { readonly refusal: string };

/** Why a PKIOperation got no certificate before anybody decided about it. */
type ScepRefusal =
  | 'unreadable' // no SCEP message whose signature holds
  | 'message_type' // anything but a PKCSReq
  | 'signer' // nothing can be encrypted to its key
  | 'envelope' // not encrypted to this authority
  | 'request'; // what is inside is no request that proves its key

export interface ScepResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** Why there is no certificate: a `ScepRefusal`, or what `decide` said. */
  readonly refusal?: string;
}

const CAPABILITIES = ['AES', 'DES3', 'POSTPKIOperation', 'SCEPStandard', 'SHA-1', 'SHA-256', 'SHA-512'];

/**
 * Handles one HTTP request at the SCEP address.
 * @param request.message the `message` of the query: base64 of a GET's PKIOperation, otherwise ignored
 * @throws what `decide` throws
 */
export async function handleScep(
  request: {
    readonly method: string;
    readonly operation: string | undefined;
    readonly message: string | undefined;
    readonly body: Uint8Array | undefined;
  },
  server: ScepServer,
): Promise<ScepResponse> {
  switch (request.operation) {
    case 'GetCACaps':
      return response('text/plain', Buffer.from(`${CAPABILITIES.join('\n')}\n`));
    case 'GetCACert':
      return server.registration === undefined
        ? response('application/x-x509-ca-cert', server.authority.certificate.der)
        : response(
            'application/x-x509-ca-ra-cert',
            certificatesOnly([server.registration.certificate, server.authority.certificate]),
          );
    case 'PKIOperation':
      return handlePkiOperation(messageOf(request), server);
    default:
      return response('text/plain', Buffer.from('Unknown operation.\n'), 400);
  }
}

const response = (contentType: string, body: Buffer, status = 200): ScepResponse => ({
  status,
  contentType,
  body,
});

/** Some clients repeat the message of a POST in its query: the body counts. A `+` in a query arrives as a space. */
function messageOf(request: {
  readonly method: string;
  readonly message: string | undefined;
  readonly body: Uint8Array | undefined;
}): Uint8Array {
  return request.method === 'POST'
    ? (request.body ?? Buffer.alloc(0))
    : Buffer.from((request.message ?? '').replaceAll(' ', '+'), 'base64');
}

/** @throws what `decide` throws */
export async function handlePkiOperation(der: Uint8Array, server: ScepServer): Promise<ScepResponse> {
  const request = readRequest(der);
  // Without a readable message nobody could read a response.
  if (request === undefined)
    return {
      ...response('text/plain', Buffer.from('This is not a SCEP message.\n'), 400),
      refusal: 'unreadable',
    };
  const signer = server.registration ?? server.authority;
  const certRep = async (outcome: Parameters<typeof buildCertRep>[0]['outcome']): Promise<ScepResponse> =>
    response('application/x-pki-message', await buildCertRep({ request, signer, outcome }));
  const refuse = async (refusal: string, failInfo: FailInfo): Promise<ScepResponse> => ({
    ...(await certRep({ failInfo })),
    refusal,
  });
  if (request.messageType !== MESSAGE_TYPE.pkcsReq)
    return refuse('message_type' satisfies ScepRefusal, 'badRequest');
  if (request.signer.publicKey.asymmetricKeyType !== 'rsa')
    return refuse('signer' satisfies ScepRefusal, 'badAlg');
  const opened = open(request, signer);
  if (opened === 'envelope') return refuse(opened, 'badMessageCheck');
  if (opened === 'request') return refuse(opened, 'badRequest');
  const decision = await server.decide(opened.csr, request.transactionId);
  return 'refusal' in decision
    ? refuse(decision.refusal, 'badRequest')
    : certRep({ certificate: decision, cipher: opened.cipher });
}

function readRequest(der: Uint8Array): ScepRequest | undefined {
  try {
    return readScepRequest(der);
  } catch {
    return undefined;
  }
}

function open(
  request: ScepRequest,
  recipient: KeyAndCertificate,
): ReturnType<typeof openPkcsReq> | 'envelope' | 'request' {
  try {
    return openPkcsReq(request, recipient);
  } catch (error) {
    return error instanceof CataloguedError ? 'request' : 'envelope';
  }
}

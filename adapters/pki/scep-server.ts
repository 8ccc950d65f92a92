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
   * Checks the challenge and issues. A client that saw no answer asks again with the same transaction id and key: it must
   * get the same certificate. What it throws is not turned into a SCEP failure: the client may try again later.
   */
  decide(csr: Csr, transactionId: string): Promise<Certificate | 'badRequest'> | Certificate | 'badRequest';
}

export interface ScepAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const CAPABILITIES = ['AES', 'DES3', 'POSTPKIOperation', 'SCEPStandard', 'SHA-1', 'SHA-256', 'SHA-512'];

/**
 * Answers one HTTP request at the SCEP address.
 * @param request.message the `message` of the query: base64 of a GET's PKIOperation, otherwise ignored
 * @throws what `decide` throws
 */
export async function answerScep(
  request: {
    readonly method: string;
    readonly operation: string | undefined;
    readonly message: string | undefined;
    readonly body: Uint8Array | undefined;
  },
  server: ScepServer,
): Promise<ScepAnswer> {
  switch (request.operation) {
    case 'GetCACaps':
      return answer('text/plain', Buffer.from(`${CAPABILITIES.join('\n')}\n`));
    case 'GetCACert':
      return server.registration === undefined
        ? answer('application/x-x509-ca-cert', server.authority.certificate.der)
        : answer(
            'application/x-x509-ca-ra-cert',
            certificatesOnly([server.registration.certificate, server.authority.certificate]),
          );
    case 'PKIOperation':
      try {
        return answer('application/x-pki-message', await handlePkiOperation(messageOf(request), server));
      } catch (error) {
        if (!(error instanceof CataloguedError) || error.code !== 'scep.request_refused') throw error;
        return answer('text/plain', Buffer.from('This is not a SCEP message.\n'), 400);
      }
    default:
      return answer('text/plain', Buffer.from('Unknown operation.\n'), 400);
  }
}

const answer = (contentType: string, body: Buffer, status = 200): ScepAnswer => ({
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

/**
 * The CertRep, in DER, for a PKIOperation message.
 * @throws CataloguedError `scep.request_refused` when it is no signed SCEP message, so that nobody could read an answer;
 * what `decide` throws
 */
export async function handlePkiOperation(der: Uint8Array, server: ScepServer): Promise<Buffer> {
  const request = readRequest(der);
  const signer = server.registration ?? server.authority;
  const refuse = (failInfo: FailInfo): Buffer => buildCertRep({ request, signer, outcome: { failInfo } });
  if (request.messageType !== MESSAGE_TYPE.pkcsReq) return refuse('badRequest');
  const opened = open(request, signer);
  if (typeof opened === 'string') return refuse(opened);
  const decision = await server.decide(opened.csr, request.transactionId);
  if (decision === 'badRequest') return refuse(decision);
  return buildCertRep({ request, signer, outcome: { certificate: decision, cipher: opened.cipher } });
}

function readRequest(der: Uint8Array): ScepRequest {
  try {
    return readScepRequest(der);
  } catch (cause) {
    throw new CataloguedError('scep.request_refused', { cause });
  }
}

function open(request: ScepRequest, recipient: KeyAndCertificate): ReturnType<typeof openPkcsReq> | FailInfo {
  try {
    return openPkcsReq(request, recipient);
  } catch (error) {
    return error instanceof CataloguedError ? 'badRequest' : 'badMessageCheck';
  }
}

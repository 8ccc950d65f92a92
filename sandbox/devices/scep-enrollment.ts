// A SCEP payload at work: new key, request with the challenge inside, certificate back; each failure with Apple's own chain.
// Of its own, beside adapters/pki/scep-client, because a device reports at which step it failed, and in Apple's words.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import type { Certificate } from '../../adapters/pki/certificate.ts';
import type { KeyAndCertificate, KeyPair, Rdn } from '../../adapters/pki/certificate-authority.ts';
import { selfSign } from '../../adapters/pki/certificate-authority.ts';
import { buildCsr } from '../../adapters/pki/csr.ts';
import type { CertRep, Transaction } from '../../adapters/pki/scep-message.ts';
import { buildPkcsReq, readCertRep, transactionIdFor } from '../../adapters/pki/scep-message.ts';
import { readSignedData } from '../../adapters/pki/signed-data.ts';
import type { DeviceContext } from './device-context.ts';
import type { DeviceState, KeychainItem } from './device-state.ts';
import type { NetworkResponse } from './network.ts';
import { Refusal, link } from './refusal.ts';

const HOUR_MS = 3600 * 1000;
const PATIENT_ATTEMPTS = 20;
const WAIT_MS = 1000;
/** In the order of the recorded request (test/data/recorded/scep). */
const MAC_SIGNER: readonly Rdn[] = [
  ['CN', 'MDM SCEP SIGNER'],
  ['C', 'US'],
];

/** macOS puts its own error over Apple's inner one. */
function refused(state: DeviceState, code: number, text: string): Refusal {
  const cause = link('MCSCEPErrorDomain', code, text);
  const outer = link('MCInstallationErrorDomain', 4001, 'The profile could not be installed.');
  if (state.family !== 'Mac') return new Refusal([outer, cause]);
  return new Refusal([
    outer,
    cause,
    link('MDM-SCEP', 15002, 'Unable to obtain certificate from SCEP server'),
  ]);
}

/**
 * @param isPatient sends the same request again when no response came; the identity for device management is worth that
 * @throws Refusal (MCSCEPErrorDomain; on Macs MDM-SCEP 15002 beneath it)
 */
export async function enrollIdentity(
  context: DeviceContext,
  payload: PlistDict,
  isPatient: boolean,
): Promise<Omit<KeychainItem, 'profile'>> {
  const { state } = context;
  const keyPair = await context.keys.take();
  const subject = subjectOf(state, payload);
  const challenge = payload['Challenge'];
  const scep = new ScepServer(
    context,
    String(payload['URL']),
    payload['Name'],
    isPatient ? PATIENT_ATTEMPTS : 1,
  );
  const capabilities = await scep.capabilities();
  const authorities = await scep.authorities();
  const recipient = authorities.find((one) => !one.isAuthority) ?? authorities[0];
  if (!recipient) throw refused(state, 22002, 'The SCEP server sent an invalid CA response.');
  const { publicKey, privateKey } = keyPair;
  const signer = await signerOf(context, subject, keyPair);
  const transaction = { transactionId: transactionIdFor(signer.certificate), senderNonce: randomBytes(16) };
  const csr = buildCsr({
    subject,
    keyPair,
    ...(typeof challenge === 'string' && { challengePassword: challenge }),
  });
  const algorithms =
    state.family === 'Mac'
      ? ({ cipher: 'des-ede3-cbc', digest: 'sha1' } as const)
      : ({ cipher: 'aes-128-cbc', digest: 'sha256' } as const);
  const message = buildPkcsReq({ csr, signer, recipient, transaction, algorithms });
  const response = await scep.operation(message, capabilities);
  const issued = issuedIn(
    state,
    readResponse(state, response, { transaction, recipient: signer, authorities }),
  );
  if (!issued.publicKey.equals(publicKey))
    throw refused(state, 22007, 'The SCEP server sent a certificate for another key.');
  return {
    id: randomUUID(),
    certificate: issued.der.toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    isExtractable: payload['KeyIsExtractable'] !== false,
    isUsableByAll: payload['AllowAllAppsAccess'] === true,
  };
}

/** macOS signs with a key made for the message, iOS with the key of the request; seen in recorded requests. */
async function signerOf(
  context: DeviceContext,
  subject: readonly Rdn[],
  requestKey: KeyPair,
): Promise<KeyAndCertificate> {
  const { state, clock } = context;
  const isOwn = (state.knobs.scepSigner ?? (state.family === 'Mac' ? 'own' : 'request')) === 'own';
  const { publicKey, privateKey } = isOwn ? await context.keys.take() : requestKey;
  const now = clock.now().getTime();
  const certificate = selfSign(
    {
      subject: isOwn ? MAC_SIGNER : subject,
      publicKey,
      notBefore: new Date(now - HOUR_MS),
      notAfter: new Date(now + HOUR_MS),
      use: 'registration',
    },
    privateKey,
  );
  return { certificate, privateKey };
}

/** Subject is an array of RDNs of [type, value] pairs; macOS fills in what it knows of itself. */
function subjectOf(state: DeviceState, payload: PlistDict): Rdn[] {
  const rdns = payload['Subject'];
  if (!Array.isArray(rdns)) return [];
  const { hardware } = state;
  const known: Readonly<Record<string, string>> = {
    '%ComputerName%': hardware.deviceName,
    '%HardwareUUID%': hardware.udid,
    '%SerialNumber%': hardware.serialNumber,
  };
  const fill = (text: string): string => text.replace(/%[A-Za-z]+%/g, (name) => known[name] ?? name);
  return rdns.flatMap((rdn) =>
    (Array.isArray(rdn) ? rdn : []).map((pair): Rdn => {
      const [type, value] = Array.isArray(pair) ? pair : [];
      if (typeof type !== 'string' || typeof value !== 'string')
        throw refused(state, 22011, 'The certificate request could not be made.');
      return [type, fill(value)];
    }),
  );
}

interface Expected {
  readonly transaction: Transaction;
  readonly recipient: KeyAndCertificate;
  readonly authorities: readonly Certificate[];
}

function readResponse(state: DeviceState, body: Buffer, expected: Expected): CertRep {
  try {
    return readCertRep(body, expected);
  } catch {
    throw refused(state, 22013, 'The SCEP server returned an invalid response.');
  }
}

function issuedIn(state: DeviceState, response: CertRep): Certificate {
  const issued =
    response.status === 'success' ? response.certificates.find((one) => !one.isAuthority) : undefined;
  if (!issued) throw refused(state, 22013, 'The SCEP server did not issue a certificate.');
  return issued;
}

class ScepServer {
  readonly #context: DeviceContext;
  readonly #url: string;
  readonly #name: string | undefined;
  readonly #attempts: number;

  constructor(context: DeviceContext, url: string, name: unknown, attempts: number) {
    this.#attempts = attempts;
    this.#context = context;
    this.#url = url;
    this.#name = typeof name === 'string' ? name : undefined;
  }

  /** An authority that does not know the question has no words. */
  async capabilities(): Promise<string[]> {
    const response = await this.#call('GetCACaps', this.#name);
    return response.status === 200 ? response.body.toString('latin1').split(/\s+/).filter(Boolean) : [];
  }

  async authorities(): Promise<Certificate[]> {
    const response = await this.#call('GetCACert', this.#name);
    const isChain = response.headers['content-type']?.startsWith('application/x-x509-ca-ra-cert') ?? false;
    try {
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      return isChain ? [...readSignedData(response.body).certificates] : [readCertificate(response.body)];
    } catch {
      throw refused(this.#context.state, 22002, 'The SCEP server sent an invalid CA response.');
    }
  }

  async operation(message: Buffer, capabilities: readonly string[]): Promise<Buffer> {
    const mayPost = capabilities.includes('POSTPKIOperation') || capabilities.includes('SCEPStandard');
    const response = mayPost
      ? await this.#call('PKIOperation', undefined, message)
      : await this.#call('PKIOperation', message.toString('base64'));
    if (response.status !== 200)
      throw refused(this.#context.state, 22013, `The SCEP server responded ${response.status}.`);
    return response.body;
  }

  async #call(operation: string, message?: string, body?: Buffer): Promise<NetworkResponse> {
    const address = new URL(this.#url);
    address.searchParams.set('operation', operation);
    if (message !== undefined) address.searchParams.set('message', message);
    const headers = { 'Content-Type': 'application/x-pki-message' };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const given = body && { method: 'POST' as const, headers, body };
        const response = await this.#context.network.request(address.href, given);
        if (response.status < 500 || attempt >= this.#attempts) return response;
      } catch {
        if (attempt >= this.#attempts)
          throw refused(this.#context.state, 22005, 'The SCEP server could not be reached.');
      }
      await sleep(WAIT_MS);
    }
  }
}

// Okta Verify on a Mac: signs its user in to the sandbox's tenant with FastPass.
import { sign, X509Certificate } from 'node:crypto';
import { type KeychainItem, type MacState, textIn } from './mac-state.ts';
import type { Web } from './web.ts';

interface SignIn {
  /** MANAGED or NOT_MANAGED */
  readonly managementStatus: string;
  readonly reason: string;
}

/**
 * The user signs in to Okta with FastPass; Okta Verify shows a certificate of an issuer that the tenant trusts: of their login keychain
 * before one of System, the newest of several.
 */
export async function signIn(
  state: MacState,
  web: Web,
  user: string,
  login: readonly KeychainItem[] = [],
): Promise<SignIn> {
  const settings = state.payloads('com.okta.mobile')[0];
  const tenant = settings && textIn(settings, 'OktaVerify.OrgUrl');
  if (!tenant || state.apps.get('com.okta.mobile') !== 'Managed')
    throw new Error('Okta Verify is not there, or knows no tenant');
  const address = new URL('/sandbox/fastpass', tenant).href;
  const asked = JSON.parse((await web.get(address)).body.toString()) as {
    nonce: string;
    trustedIssuers: string[];
  };
  const isTrusted = ({ issuer }: X509Certificate): boolean =>
    asked.trustedIssuers.includes(issuer.split('\n').reverse().join(','));
  const [shown] = [login, state.keychain].flatMap((keychain) =>
    keychain
      .filter(
        ({ certificate, isUsableByAll }) => isUsableByAll && isTrusted(new X509Certificate(certificate)),
      )
      .toSorted((one, other) => startOf(other) - startOf(one)),
  );
  const { hardware } = state;
  const body = {
    nonce: asked.nonce,
    user,
    device: {
      platform: 'MACOS',
      displayName: hardware.name,
      model: hardware.model,
      osVersion: hardware.osVersion,
      serialNumber: hardware.serialNumber,
      udid: hardware.udid,
    },
    ...(shown && {
      attestation: {
        certificate: new X509Certificate(shown.certificate).raw.toString('base64'),
        signature: sign('sha256', Buffer.from(asked.nonce), shown.privateKey).toString('base64'),
      },
    }),
  };
  const answer = await web.post(address, JSON.stringify(body), 'application/json');
  return JSON.parse(answer.body.toString()) as SignIn;
}

const startOf = ({ certificate }: KeychainItem): number =>
  Date.parse(new X509Certificate(certificate).validFrom);

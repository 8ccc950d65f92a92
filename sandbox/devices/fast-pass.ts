// A FastPass sign-in: asks the tenant whose certificates it trusts, shows the best one (or the hint), and keeps what came of it.
import type { FastPassChallenge, FastPassResult, FastPassSignIn } from '../okta/fastpass-message.ts';
import { signNonce } from '../okta/fastpass-message.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { KeychainItem, SignIn } from './device-state.ts';
import { certificateOf, identityOf, usableFor } from './keychain.ts';
import { handlesHost, readSetup, toShow } from './okta-verify.ts';

const KEPT_SIGN_INS = 50;

export interface SignInOrder {
  readonly how: SignIn['how'];
  /** Address of the tenant that the user types when nothing was delivered. */
  readonly tenant?: string;
}

/** Never throws: a sign-in that fails is recorded as such, too. */
export async function signIn(context: DeviceContext, order: SignInOrder): Promise<SignIn> {
  const { state, clock } = context;
  const setup = readSetup(state);
  const at = clock.now().toISOString();
  const orgUrl = setup.orgUrl ?? order.tenant;
  let done: SignIn;
  if (!setup.isInstalled || orgUrl === undefined) {
    const detail = setup.isInstalled
      ? 'nobody told Okta Verify its organization'
      : 'Okta Verify is not installed';
    done = {
      at,
      tenant: orgUrl ?? '',
      how: order.how,
      showedPrompt: true,
      evidence: 'none',
      result: 'failed',
      detail,
    };
  } else
    done = await signInAtTenant(
      context,
      orgUrl.includes('://') ? orgUrl : `https://${orgUrl}`,
      order.how,
      at,
    );
  state.oktaVerify.signIns.push(done);
  state.oktaVerify.signIns.splice(0, state.oktaVerify.signIns.length - KEPT_SIGN_INS);
  count(context, `signIns.${done.result}`);
  await context.save();
  return done;
}

async function signInAtTenant(
  context: DeviceContext,
  orgUrl: string,
  how: SignIn['how'],
  at: string,
): Promise<SignIn> {
  const { state, clock, network } = context;
  const setup = readSetup(state);
  const showedPrompt = !handlesHost(state, orgUrl);
  const address = new URL('/sandbox/fastpass', orgUrl).href;
  let shown: KeychainItem | undefined;
  try {
    const asked = await network.request(address);
    if (asked.status !== 200) throw new Error(`the tenant responded ${asked.status}`);
    const challenge = JSON.parse(asked.body.toString('utf8')) as FastPassChallenge;
    if (state.family === 'Mac') shown = usableFor(state, challenge.trustedIssuers, clock.now());
    const message = signInMessage(context, challenge.nonce, shown, setup.managementHint);
    const headers = { 'Content-Type': 'application/json' };
    const body = Buffer.from(JSON.stringify(message));
    const responded = await network.request(address, { method: 'POST', headers, body });
    if (responded.status !== 200) throw new Error(`the tenant responded ${responded.status}`);
    const result = JSON.parse(responded.body.toString('utf8')) as FastPassResult;
    state.oktaVerify.oktaDeviceId = result.oktaDeviceId;
    const serial = shown && certificateOf(shown).serialNumber;
    state.oktaVerify.lastShown = toShow(state);
    return {
      at,
      tenant: orgUrl,
      how,
      showedPrompt,
      evidence: shown ? 'certificate' : message.managementHint === undefined ? 'none' : 'managementHint',
      ...(serial !== undefined && { certificateSerial: serial }),
      result: result.managementStatus === 'MANAGED' ? 'managed' : 'registered',
      detail: result.reason,
    };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { at, tenant: orgUrl, how, showedPrompt, evidence: 'none', result: 'failed', detail };
  }
}

function signInMessage(
  context: DeviceContext,
  nonce: string,
  shown: KeychainItem | undefined,
  managementHint: string | undefined,
): FastPassSignIn {
  const { hardware, family, user, oktaVerify } = context.state;
  return {
    nonce,
    user: user.login,
    device: {
      ...(oktaVerify.oktaDeviceId !== undefined && { oktaDeviceId: oktaVerify.oktaDeviceId }),
      platform: family === 'Mac' ? 'MACOS' : 'IOS',
      displayName: hardware.deviceName,
      model: hardware.productName,
      osVersion: hardware.osVersion,
      ...(family === 'Mac' && { serialNumber: hardware.serialNumber, udid: hardware.udid }),
    },
    ...(shown && {
      attestation: {
        certificate: shown.certificate,
        signature: signNonce(nonce, identityOf(shown).privateKey),
      },
    }),
    ...(managementHint !== undefined && { managementHint }),
  };
}

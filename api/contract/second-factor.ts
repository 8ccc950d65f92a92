// The second factor of local people: each sets up an own authenticator app; admins require it, and turn it off for who is locked out.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { idParams, instant, oneTimeCode, secretText } from './fields.ts';

const tag = 'people';
const withPassword = z.strictObject({ password: secretText(1_024) });
const RecoveryCodes = z
  .object({
    /** Each signs in once instead of a code of the app; shown this once. */
    recoveryCodes: z.array(z.string()),
  })
  .meta({ id: 'RecoveryCodes' });
const SignInPolicy = z
  .object({
    /** Local people set up a second factor before they do anything else. */
    isSecondFactorRequired: z.boolean(),
  })
  .meta({ id: 'SignInPolicy' });

export const secondFactor = {
  getSecondFactor: endpoint({
    tag,
    summary: "The caller's own second factor",
    method: 'get',
    path: '/api/session/second-factor',
    access: 'viewer',
    beforeSecondFactor: true,
    status: 200,
    response: z
      .object({
        /** Tokens have none, and people of the identity provider have theirs there. */
        isLocalPerson: z.boolean(),
        /** null: off. */
        onSince: instant.nullable(),
        recoveryCodesLeft: z.number().int(),
        isRequired: z.boolean(),
      })
      .meta({ id: 'SecondFactor' }),
  }),
  beginSecondFactor: endpoint({
    tag,
    summary:
      'Creates the key for an authenticator app; the second factor turns on when a code of the app is confirmed',
    method: 'post',
    path: '/api/session/second-factor',
    access: 'viewer',
    beforeSecondFactor: true,
    body: withPassword,
    status: 201,
    response: z
      .object({
        /** otpauth://totp/…, as a QR code for the app. */
        uri: z.string(),
        /** The same key in Base32, to be typed. */
        key: z.string(),
      })
      .meta({ id: 'AuthenticatorKey' }),
    showsSecret: true,
    problems: ['people.sign_in_refused', 'request.conflict', 'request.too_many'],
  }),
  confirmSecondFactor: endpoint({
    tag,
    summary: "Turns on the second factor with a code of the app, and ends the caller's other sessions",
    method: 'post',
    path: '/api/session/second-factor/confirm',
    access: 'viewer',
    beforeSecondFactor: true,
    body: z.strictObject({ code: oneTimeCode }),
    status: 200,
    response: RecoveryCodes,
    showsSecret: true,
    problems: ['people.code_refused', 'request.conflict', 'request.too_many'],
  }),
  renewRecoveryCodes: endpoint({
    tag,
    summary: 'Creates new recovery codes; the old ones stop working',
    method: 'post',
    path: '/api/session/second-factor/recovery-codes',
    access: 'viewer',
    body: withPassword,
    status: 200,
    response: RecoveryCodes,
    showsSecret: true,
    problems: ['people.sign_in_refused', 'request.conflict', 'request.too_many'],
  }),
  turnOffSecondFactor: endpoint({
    tag,
    summary: "Turns the caller's own second factor off",
    method: 'post',
    path: '/api/session/second-factor/turn-off',
    access: 'viewer',
    body: withPassword,
    status: 204,
    problems: ['people.sign_in_refused', 'people.second_factor_required', 'request.too_many'],
  }),
  resetSecondFactor: endpoint({
    tag,
    summary: 'Turns off the second factor of a person who is locked out, and ends their sessions',
    method: 'delete',
    path: '/api/people/{id}/second-factor',
    access: 'admin',
    params: idParams,
    status: 204,
  }),
  getSignInPolicy: endpoint({
    tag,
    summary: 'What local people need to sign in',
    method: 'get',
    path: '/api/sign-in-policy',
    access: 'admin',
    status: 200,
    response: SignInPolicy,
  }),
  setSignInPolicy: endpoint({
    tag,
    summary: 'Turns the second-factor requirement for local people on or off',
    method: 'put',
    path: '/api/sign-in-policy',
    access: 'admin',
    body: z.strictObject(SignInPolicy.shape),
    status: 200,
    response: SignInPolicy,
  }),
};

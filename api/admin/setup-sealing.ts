// Seals the secrets of an answer at the API's edge: what goes on to the workflow holds handles only.
import { newAppKey } from '../../adapters/okta/api-services-app.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import {
  dropSecret,
  listSecretFacts,
  storeSecret,
  type SecretKind,
} from '../../adapters/store/base/secrets.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { isOnTenant, macPlatformAddress } from '../../domain/secret-address.ts';
import { answerTo, type SetupAnswer, type SetupState } from '../../domain/setup-wizard.ts';
import type { ReadBody } from '../contract/endpoint.ts';
import type { setups } from '../contract/setups.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';

type AnswerBody = ReadBody<(typeof setups)['answerSetup']>;

export interface SealedAnswer {
  readonly answer: SetupAnswer;
  /** Made for this answer: of no use if it is refused. */
  readonly made: readonly string[];
}

export async function sealAnswer(
  { database, sealer }: { readonly database: Database; readonly sealer: Sealer },
  body: AnswerBody,
  state: SetupState,
  by: string,
): Promise<SealedAnswer> {
  const store = async (kind: SecretKind, value: string, address?: string) => {
    const secret = { kind, value, by, setupId: state.setupId, ...(address !== undefined && { address }) };
    return (await database.inTransaction((sql) => storeSecret(sql, sealer, secret))).id;
  };
  const isFor = async (id: string, address: string | undefined) =>
    (await listSecretFacts(database, [id])).get(id)?.address === (address ?? null);
  /** A secret that is left out keeps the value that is set already, unless it was entered for another address. */
  const handle = async (
    kind: SecretKind,
    field: string,
    value: string | undefined,
    known: string | undefined,
    address?: string,
  ) => {
    if (value !== undefined) return { secretId: await store(kind, value, address), made: true };
    if (known !== undefined && !(await isFor(known, address)))
      throw fieldProblem('secrets.other_address', field);
    if (known !== undefined) return { secretId: known, made: false };
    throw new ProblemError('request.invalid', {
      errors: [{ field, reason: 'is needed', code: 'invalid_type' }],
    });
  };

  const host = state.tenant?.host;
  switch (body.step) {
    case 'install_api_integration': {
      const known = answerTo(state, 'install_api_integration');
      if (body.credentialsKind !== 'api_services_app') return { answer: body, made: [] };
      // Given again in the same setup it shows the same key: it may be in Okta already.
      if (
        known?.credentialsKind === body.credentialsKind &&
        known.publicJwk !== undefined &&
        known.secretId !== undefined &&
        (await isFor(known.secretId, host)) &&
        !(await isInUse(database, state, known.secretId))
      )
        return { answer: known, made: [] };
      const key = await newAppKey();
      const secretId = await store('okta_private_key', key.privateKeyPem, host);
      return { answer: { ...body, publicJwk: { ...key.publicJwk }, secretId }, made: [secretId] };
    }
    case 'credentials': {
      const install = answerTo(state, 'install_api_integration');
      const isKey = install?.credentialsKind === 'api_services_app';
      const known = isKey ? install.secretId : answerTo(state, 'credentials')?.secretId;
      const value = isKey ? undefined : body.clientSecret;
      const { secretId, made } = await handle(
        'okta_client_secret',
        isKey ? 'credentialsKind' : 'clientSecret',
        value,
        known,
        host,
      );
      return { answer: { step: body.step, clientId: body.clientId, secretId }, made: made ? [secretId] : [] };
    }
    case 'macos': {
      const { step, scepUrl, challengeUrl, username } = body;
      for (const field of ['scepUrl', 'challengeUrl'] as const)
        if (state.tenant && !isOnTenant(body[field], state.tenant))
          throw fieldProblem('setup.url_not_on_tenant', field);
      const known = answerTo(state, 'macos')?.secretId;
      const { secretId, made } = await handle(
        'challenge_password',
        'password',
        body.password,
        known,
        macPlatformAddress(body),
      );
      return { answer: { step, scepUrl, challengeUrl, username, secretId }, made: made ? [secretId] : [] };
    }
    case 'ios': {
      const known = answerTo(state, 'ios')?.secretId;
      const { secretId, made } = await handle('ios_secret_key', 'secretKey', body.secretKey, known);
      return {
        answer: { step: body.step, providerName: body.providerName, secretId },
        made: made ? [secretId] : [],
      };
    }
    default:
      return { answer: body, made: [] };
  }
}

/** The integration signs in with it until the setup that changes it is complete; asking again asks for another one. */
async function isInUse(database: Database, state: SetupState, keyId: string | undefined): Promise<boolean> {
  if (!state.amends || state.integrationId === undefined) return false;
  return (await findIntegration(database, state.integrationId))?.credentialsSecretId === keyId;
}

/** Only what was refused is of no use: an answer whose end is not known may have reached the workflow, which then needs its secret. */
export async function dropRefused(database: Database, { made }: SealedAnswer, error: unknown): Promise<void> {
  if (!(error instanceof ProblemError) || error.code === 'server.unavailable') return;
  for (const id of made) await dropSecret(database, id);
}

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

type Given<Step extends AnswerBody['step']> = Extract<AnswerBody, { step: Step }>;

export async function sealAnswer(
  dependencies: SealingDependencies,
  body: AnswerBody,
  state: SetupState,
  by: string,
): Promise<SealedAnswer> {
  const sealing = new AnswerSealing(dependencies, state, by);
  switch (body.step) {
    case 'credentials_kind':
      return sealing.install(body);
    case 'credentials':
      return sealing.credentials(body);
    case 'macos':
      return sealing.mac(body);
    case 'ios':
      return sealing.ios(body);
    default:
      return { answer: body, made: [] };
  }
}

interface SealingDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
}

class AnswerSealing {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #state: SetupState;
  readonly #by: string;

  constructor({ database, sealer }: SealingDependencies, state: SetupState, by: string) {
    this.#database = database;
    this.#sealer = sealer;
    this.#state = state;
    this.#by = by;
  }

  async install(body: Given<'credentials_kind'>): Promise<SealedAnswer> {
    if (body.credentialsKind !== 'api_services_app') return { answer: body, made: [] };
    const state = this.#state;
    const host = state.tenant?.host;
    const known = answerTo(state, 'credentials_kind');
    // Given again in the same setup it shows the same key: it may be in Okta already.
    if (
      known?.credentialsKind === body.credentialsKind &&
      known.publicJwk !== undefined &&
      known.secretId !== undefined &&
      (await this.#isFor(known.secretId, host)) &&
      !(await isInUse(this.#database, state, known.secretId))
    )
      return { answer: known, made: [] };
    const key = await newAppKey();
    const secretId = await this.#store('okta_private_key', key.privateKeyPem, host);
    return { answer: { ...body, publicJwk: { ...key.publicJwk }, secretId }, made: [secretId] };
  }

  async credentials({ step, clientId, clientSecret }: Given<'credentials'>): Promise<SealedAnswer> {
    const install = answerTo(this.#state, 'credentials_kind');
    const isKey = install?.credentialsKind === 'api_services_app';
    const { secretId, made } = await this.#handle('okta_client_secret', {
      field: isKey ? 'credentialsKind' : 'clientSecret',
      value: isKey ? undefined : clientSecret,
      known: isKey ? install.secretId : answerTo(this.#state, 'credentials')?.secretId,
      address: this.#state.tenant?.host,
    });
    return { answer: { step, clientId, secretId }, made };
  }

  async mac(body: Given<'macos'>): Promise<SealedAnswer> {
    const { step, scepUrl, challengeUrl, username, password } = body;
    for (const field of ['scepUrl', 'challengeUrl'] as const)
      if (this.#state.tenant && !isOnTenant(body[field], this.#state.tenant))
        throw fieldProblem('setup.url_not_on_tenant', field);
    const { secretId, made } = await this.#handle('challenge_password', {
      field: 'password',
      value: password,
      known: answerTo(this.#state, 'macos')?.secretId,
      address: macPlatformAddress(body),
    });
    return { answer: { step, scepUrl, challengeUrl, username, secretId }, made };
  }

  async ios({ step, providerName, secretKey }: Given<'ios'>): Promise<SealedAnswer> {
    const { secretId, made } = await this.#handle('ios_secret_key', {
      field: 'secretKey',
      value: secretKey,
      known: answerTo(this.#state, 'ios')?.secretId,
      address: undefined,
    });
    return { answer: { step, providerName, secretId }, made };
  }

  /** A secret that is left out keeps the value that is set already, unless it was entered for another address. */
  async #handle(
    kind: SecretKind,
    given: {
      readonly field: string;
      readonly value: string | undefined;
      readonly known: string | undefined;
      readonly address: string | undefined;
    },
  ): Promise<{ readonly secretId: string; readonly made: readonly string[] }> {
    const { field, value, known, address } = given;
    if (value !== undefined) {
      const secretId = await this.#store(kind, value, address);
      return { secretId, made: [secretId] };
    }
    if (known !== undefined && !(await this.#isFor(known, address)))
      throw fieldProblem('secrets.other_address', field);
    if (known !== undefined) return { secretId: known, made: [] };
    throw new ProblemError('request.invalid', {
      errors: [{ field, reason: 'is required', code: 'invalid_type' }],
    });
  }

  async #store(kind: SecretKind, value: string, address: string | undefined): Promise<string> {
    const { setupId } = this.#state;
    const secret = { kind, value, by: this.#by, setupId, ...(address !== undefined && { address }) };
    return (await this.#database.inTransaction((sql) => storeSecret(sql, this.#sealer, secret))).id;
  }

  async #isFor(id: string, address: string | undefined): Promise<boolean> {
    return (await listSecretFacts(this.#database, [id])).get(id)?.address === (address ?? null);
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

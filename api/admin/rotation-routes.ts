// Rotations of secrets: values are sealed at this edge; the workflow is told a handle.
import { randomBytes } from 'node:crypto';
import { newAppKey } from '../../adapters/okta/api-services-app.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { storeSecret, type SecretKind } from '../../adapters/store/base/secrets.ts';
import {
  findIntegration,
  listPlatforms,
  type IntegrationRow,
  type PlatformRow,
} from '../../adapters/store/integration/integrations.ts';
import {
  addRotation,
  findRotation,
  listRotations,
  lockRotation,
  setRotationStatus,
  type RotationRow,
} from '../../adapters/store/integration/secret-rotations.ts';
import { countReached } from '../../adapters/store/library/scope.ts';
import { previewWaves } from '../../adapters/store/rollout/fleet-rollout-start.ts';
import { macPlatformAddress } from '../../domain/secret-address.ts';
import {
  canBeSteered,
  EXPOSURE,
  isChosenFirst,
  isFitForOkta,
  overlaps,
  ROTATED_SECRETS,
  ROTATION_STEPS,
  ROTATION_TITLES,
  statusText,
  type RotatedSecret,
} from '../../domain/secret-rotation.ts';
import { workflowIds } from '../../workflows/messages.ts';
import type { rotations } from '../contract/rotations.ts';
import { fieldProblem, notFound, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { temporalLink } from './device-view.ts';
import { failureOrNull } from './failure-view.ts';

export function rotationHandlers(dependencies: AdminDependencies): Handlers<typeof rotations> {
  const show = ({ newSecretId: _, oldSecretId: __, drainedAt: ___, failureCode, ...row }: RotationRow) => ({
    ...row,
    publicJwk: row.publicJwk && { ...row.publicJwk },
    text: statusText(row.status, row.kind),
    orders: canBeSteered(row.status) ? (['commit', 'abandon'] as const).slice() : [],
    failure: failureOrNull(failureCode),
    temporalUrl: temporalLink(dependencies, workflowIds.rotation(row.id)),
  });
  return {
    listRotationPlans: async ({ sql, params }) => {
      const owned = await secretsOf(sql, params.id);
      const { iOS } = await countReached(sql, params.id);
      const impact = await previewWaves(sql, iOS, [], 'full');
      return {
        items: owned.map(({ kind }) => ({
          kind,
          title: ROTATION_TITLES[kind],
          steps: [...ROTATION_STEPS[kind]],
          exposure: EXPOSURE[kind],
          overlaps: overlaps(kind),
          isChosenFirst: isChosenFirst(kind),
          impact: kind === 'ios_secret_key' ? impact : null,
        })),
      };
    },

    listRotations: async ({ sql, params }) => {
      await integrationOf(sql, params.id);
      return { items: (await listRotations(sql, params.id)).map(show) };
    },

    startRotation: async ({ sql, params, body, caller }) => {
      const { kind } = body;
      const owned = (await secretsOf(sql, params.id)).find((each) => each.kind === kind);
      if (!owned) throw fieldProblem('request.not_found', 'kind');
      const made = await newValue(kind, body.value);
      const { id: newSecretId } = await storeSecret(sql, dependencies.sealer, {
        kind: owned.secretKind,
        value: made.value,
        by: caller.actor,
        ...(owned.address !== undefined && { address: owned.address }),
      });
      const id = await addRotation(sql, {
        integrationId: params.id,
        kind,
        status: isChosenFirst(kind) ? 'prepared' : 'trying',
        newSecretId,
        oldSecretId: owned.secretId,
        publicJwk: made.publicJwk,
        by: caller.actor,
      });
      if (id === undefined)
        throw new ProblemError('request.conflict', { detail: 'A rotation of this secret is under way.' });
      await told(sql, id, params.id, {
        actor: caller.actor,
        action: 'secret.rotation_started',
        detail: { kind },
      });
      const rotation = await existing(sql, id);
      return { rotation: show(rotation), secretKey: made.shown };
    },

    getRotation: async ({ sql, params }) => show(await existing(sql, params.id)),

    steerRotation: async ({ sql, params, body, caller }) => {
      const rotation = await lockRotation(sql, params.id);
      if (!rotation) throw notFound('rotation');
      const { id, integrationId, kind, status } = rotation;
      if (!canBeSteered(status))
        throw new ProblemError('request.conflict', { detail: statusText(status, kind) });
      const { order } = body;
      await setRotationStatus(sql, id, order === 'commit' ? 'trying' : 'abandoned', {
        ...(order === 'commit' && { by: caller.actor, failureCode: null }),
      });
      await told(sql, id, integrationId, {
        actor: caller.actor,
        action: order === 'commit' ? 'secret.rotation_committed' : 'secret.rotation_abandoned',
        detail: { kind },
      });
      return show(await existing(sql, id));
    },
  };
}

const existing = async (sql: Sql, id: string): Promise<RotationRow> => {
  const row = await findRotation(sql, id);
  if (row) return row;
  throw notFound('rotation');
};

const integrationOf = async (sql: Sql, id: string): Promise<IntegrationRow> => {
  const integration = await findIntegration(sql, id);
  if (integration) return integration;
  throw notFound('integration');
};

async function told(
  sql: Sql,
  rotationId: string,
  integrationId: string,
  entry: { readonly actor: string; readonly action: string; readonly detail: object },
): Promise<void> {
  const subject = `integration:${integrationId}`;
  await appendAudit(sql, { ...entry, subject, detail: { ...entry.detail, rotation: rotationId } });
  await appendEvent(sql, { kind: 'integration.changed', subject });
  await appendOutboxMessage(sql, rotationId, { kind: 'rotateSecret', rotationId });
}

interface OwnedSecret {
  readonly kind: RotatedSecret;
  readonly secretId: string;
  readonly secretKind: SecretKind;
  /** Where the value is sent; undefined: to devices only. */
  readonly address: string | undefined;
}

/** The secrets that this integration has. */
async function secretsOf(sql: Sql, integrationId: string): Promise<OwnedSecret[]> {
  const { credentialsKind, credentialsSecretId, oktaHost } = await integrationOf(sql, integrationId);
  const isKey = credentialsKind === 'api_services_app';
  const credentials: OwnedSecret = {
    kind: isKey ? 'private_key' : 'client_secret',
    secretId: credentialsSecretId,
    secretKind: isKey ? 'okta_private_key' : 'okta_client_secret',
    address: oktaHost,
  };
  const all = [credentials, ...(await listPlatforms(sql, integrationId)).map(platformSecret)];
  return ROTATED_SECRETS.flatMap((kind) => all.find((each) => each.kind === kind) ?? []);
}

const platformSecret = ({ platform, secretId, scepUrl, challengeUrl }: PlatformRow): OwnedSecret =>
  platform === 'macOS'
    ? {
        kind: 'challenge_password',
        secretId,
        secretKind: 'challenge_password',
        address: macPlatformAddress({ scepUrl: scepUrl ?? '', challengeUrl: challengeUrl ?? '' }),
      }
    : { kind: 'ios_secret_key', secretId, secretKind: 'ios_secret_key', address: undefined };

interface NewValue {
  readonly value: string;
  readonly publicJwk: Readonly<Record<string, string>> | null;
  /** To whoever asked, this once. */
  readonly shown: string | null;
}

async function newValue(kind: RotatedSecret, given: string | undefined): Promise<NewValue> {
  if (kind === 'private_key') {
    if (given !== undefined)
      throw fieldProblem('request.invalid', 'value', {
        detail: 'Odette creates this key; leave the value out.',
      });
    const { privateKeyPem, publicJwk } = await newAppKey();
    return { value: privateKeyPem, publicJwk: { ...publicJwk }, shown: null };
  }
  if (kind === 'ios_secret_key' && given === undefined) {
    const value = madeKey();
    return { value, publicJwk: null, shown: value };
  }
  if (given === undefined) throw fieldProblem('request.invalid', 'value', { detail: 'Enter the new value.' });
  if (kind === 'ios_secret_key' && !isFitForOkta(given))
    throw fieldProblem('request.invalid', 'value', {
      detail: 'Okta requires 8 to 256 characters with upper case, lower case and a symbol.',
    });
  return { value: given, publicJwk: null, shown: null };
}

/** 256 random bits, with what Okta's rules ask for. */
function madeKey(): string {
  for (;;) {
    const key = `${randomBytes(32).toString('base64url')}-`;
    if (isFitForOkta(key)) return key;
  }
}

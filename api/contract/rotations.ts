// Rotations of an integration's secrets: what each takes, what it costs, and how far it is.
import { z } from 'zod';
import { ROTATED_SECRETS, ROTATION_STATUSES } from '../../domain/secret-rotation.ts';
import { endpoint } from './endpoint.ts';
import { Failure, id, idParams, instant, list, secretText } from './fields.ts';
import { WavesPreview } from './fleet-rollouts.ts';

const tag = 'integrations';
const kind = z.enum(ROTATED_SECRETS);

const Rotation = z
  .object({
    id,
    integrationId: id,
    kind,
    status: z.enum(ROTATION_STATUSES),
    /** Where it is, in one or two sentences. */
    text: z.string(),
    /** A person says that the new value is set in Okta, or that it never will be. */
    orders: z.array(z.enum(['commit', 'abandon'])),
    /** Of a new key, for Okta. */
    publicJwk: z.record(z.string(), z.string()).nullable(),
    /** Why Okta refused the new value when it was tried last. */
    failure: Failure.nullable(),
    /** The devices that get the new key, and those that are not reached. */
    fleetRolloutId: id.nullable(),
    startedAt: instant,
    startedBy: z.string(),
    committedAt: instant.nullable(),
    committedBy: z.string().nullable(),
    oldDestroyedAt: instant.nullable(),
    provenAt: instant.nullable(),
    /** The device whose user signed in first with the new key. */
    provenBy: z.string().nullable(),
    endedAt: instant.nullable(),
    temporalUrl: z.string().nullable(),
  })
  .meta({ id: 'SecretRotation' });

const RotationPlan = z
  .object({
    kind,
    title: z.string(),
    /** What a person does, in Okta's words, in this order. */
    steps: z.array(z.string()),
    /** How long users can lose access, and why. */
    exposure: z.string(),
    /** Okta takes the old value and the new one at once. */
    overlaps: z.boolean(),
    /** Odette makes the new value, or it is chosen before Okta is told. */
    isChosenFirst: z.boolean(),
    /** Devices whose payloads change; null of those in which nothing changes. */
    impact: WavesPreview.nullable(),
  })
  .meta({ id: 'SecretRotationPlan' });

export const rotations = {
  listRotationPlans: endpoint({
    tag,
    summary:
      'What rotating each secret of an integration takes: steps in Okta, devices, pushes, time, exposure',
    method: 'get',
    path: '/api/integrations/{id}/rotation-plans',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: list(RotationPlan),
  }),
  listRotations: endpoint({
    tag,
    summary: 'Rotations of an integration, newest first',
    method: 'get',
    path: '/api/integrations/{id}/rotations',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: list(Rotation),
  }),
  startRotation: endpoint({
    tag,
    summary:
      'Starts the rotation of a secret. Odette tests a client secret or challenge password with Okta, then uses it; a key waits for `commit`',
    method: 'post',
    path: '/api/integrations/{id}/rotations',
    access: 'admin',
    params: idParams,
    body: z.strictObject({
      kind,
      /** The new client secret or challenge password; of an iOS secret key: left out, Odette makes one. Not for a private key. */
      value: secretText(1_024, 8).optional(),
    }),
    status: 201,
    response: z
      .object({
        rotation: Rotation,
        /** The made iOS secret key, shown this once. */
        secretKey: z.string().nullable(),
      })
      .meta({ id: 'SecretRotationStarted' }),
    showsSecret: true,
    problems: ['request.conflict'],
  }),
  getRotation: endpoint({
    tag,
    summary: 'The progress of a rotation',
    method: 'get',
    path: '/api/rotations/{id}',
    access: 'viewer',
    params: idParams,
    status: 200,
    response: Rotation,
  }),
  steerRotation: endpoint({
    tag,
    summary: 'Confirms that the new key is set in Okta (`commit`), or abandons the rotation (`abandon`)',
    method: 'post',
    path: '/api/rotations/{id}/orders',
    access: 'admin',
    params: idParams,
    body: z.strictObject({ order: z.enum(['commit', 'abandon']) }),
    status: 200,
    response: Rotation,
    problems: ['request.conflict'],
  }),
};

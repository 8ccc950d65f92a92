// SCEP for the identities of devices (RFC 8894): one certificate for each one-time challenge of an enrollment profile.
import type { KeyObject } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { handleScep } from '../../adapters/pki/scep-server.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { takeIdentity } from '../../adapters/store/devices/identity-certificates.ts';
import { CataloguedError } from '../../domain/failures.ts';
import type { DeviceMetrics } from './device-metrics.ts';
import { type IdentityAuthority, issueIdentity } from './identity-authority.ts';

/** What the enrollment profile asks for; a shorter key could be found by others. */
const MIN_KEY_BITS = 2048;
/** A request with a key of 4096 bits and its certificate stays below 8 kB. */
const MAX_BYTES = 32 * 1024;
/** In a minute, of one address, behind which a whole office may enroll: each costs operations with the private key, and the two requests before it none. */
const PKI_OPERATIONS = { points: 300, duration: 60 };

export function scepRoute(dependencies: {
  readonly database: Database;
  readonly log: Logger;
  readonly metrics: DeviceMetrics;
  readonly authority: () => Promise<IdentityAuthority>;
}): Router {
  const { log, metrics } = dependencies;
  const router = express.Router();
  const byAddress = new RateLimiterMemory(PKI_OPERATIONS);
  const serve = async (request: Request, response: Response): Promise<void> => {
    const operation = textOf(request.query['operation']);
    if (operation === 'PKIOperation')
      await byAddress.consume(request.ip ?? '').catch(() => {
        throw new CataloguedError('server.unavailable', { facts: { reason: 'too many SCEP requests' } });
      });
    const { authority } = await dependencies.authority();
    const scep = await handleScep(
      {
        method: request.method,
        operation,
        message: textOf(request.query['message']),
        body: Buffer.isBuffer(request.body) ? request.body : undefined,
      },
      {
        authority,
        async decide({ challengePassword, publicKey }, transactionId) {
          const weakness = weaknessOf(publicKey);
          if (weakness !== undefined) return { refusal: weakness };
          if (challengePassword === undefined) return { refusal: 'challenge_missing' };
          const taken = await dependencies.database.inTransaction((sql) =>
            takeIdentity(
              sql,
              {
                challenge: challengePassword,
                transactionId,
                publicKey: publicKey.export({ type: 'spki', format: 'der' }),
              },
              (identityId) => issueIdentity(authority, { publicKey }, identityId),
            ),
          );
          return typeof taken === 'string' ? { refusal: taken } : readCertificate(taken);
        },
      },
    );
    if (scep.refusal !== undefined) {
      // A line each, for a Mac that cannot enroll is looked for here: an address has its limit, a log its size. Nothing of what was sent.
      log.warn({ reason: scep.refusal, from: request.ip }, 'a SCEP request was refused');
      metrics.scepRefused(scep.refusal);
    }
    response.status(scep.status).type(scep.contentType).send(scep.body);
  };
  router
    .route('/scep')
    .get(serve)
    .post(express.raw({ type: () => true, limit: MAX_BYTES, inflate: false }), serve);
  return router;
}

function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType !== 'rsa') return 'key_type';
  return (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_KEY_BITS ? 'key_too_small' : undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

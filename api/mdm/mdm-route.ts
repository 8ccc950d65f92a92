// The one address of the MDM protocol: check-in messages and command reports, told apart by the message itself.
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { type DeviceMessage, readDeviceMessage } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { findDeviceByIdentity, recordContact } from '../../adapters/store/devices/devices.ts';
import { IdlesTogether } from '../../adapters/store/devices/idles-together.ts';
import { recordUnparsedResponse } from '../../adapters/store/devices/inventory.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { redactedForStorage } from './response-reading.ts';
import { getBootstrapToken, setBootstrapToken } from './bootstrap-token.ts';
import { Admission, KnownIdentities, refuseUnlessList } from './admission.ts';
import { authenticate, checkOut, updateToken } from './check-in.ts';
import { passOverUnreadable } from './record-report.ts';
import { type ConversationDependencies, converse, plistOf } from './conversation.ts';
import { recordForeignUse } from './foreign-use.ts';
import { GivenCommands } from './given-commands.ts';
import type { IdentityAuthority } from './identity-authority.ts';
import type { DeviceMetrics } from './device-metrics.ts';
import { type Claim, type Signer, readClaim } from './signer.ts';
import { Turns } from './turns.ts';
import { whenClosed } from '../http/when-closed.ts';
import { respondToUser } from './user-channel.ts';

export interface MdmDependencies extends Omit<ConversationDependencies, 'given' | 'idles'> {
  readonly authority: () => Promise<IdentityAuthority>;
  readonly passesClientCert: (address: string | undefined) => boolean;
  readonly metrics: DeviceMetrics;
  readonly publicUrl: string | undefined;
}

interface Claimed extends Record<string, unknown> {
  claim: Claim;
  maxBytes: number;
}

/** Of one identity. A rollout takes some thirty messages: who sends so many is broken, or means harm to the others. */
const MESSAGE_RATE_LIMIT = { points: 300, duration: 60 };

/** Read within a millisecond or two; what is larger may take fifty. */
const LARGE_BYTES = 128 * 1024;

export function mdmRoute(dependencies: MdmDependencies): Router {
  const router = express.Router();
  const byIdentity = new RateLimiterMemory(MESSAGE_RATE_LIMIT);
  const admission = new Admission();
  const known = new KnownIdentities();
  const given = new GivenCommands(dependencies.database);
  const idles = new IdlesTogether(dependencies.database);
  const turns = new Turns();
  /** In its turn, if it is large. */
  const hold = <Result>(body: Buffer, work: () => Result): Result | Promise<Result> =>
    body.length > LARGE_BYTES ? turns.take(work) : work();
  // Before the body is read: whoever no device is known by gets no byte in.
  const judge = async (request: Request, response: Response<unknown, Claimed>, next: NextFunction) => {
    const { authority } = await dependencies.authority();
    const claim = readClaim(request, authority, dependencies.passesClientCert);
    const length = request.get('Content-Length');
    const bytes = length === undefined ? undefined : Number(length);
    const maxBytes = await known.maxBytesFor(dependencies.database, claim.fingerprint, bytes);
    if (maxBytes === undefined)
      throw new CataloguedError('mdm.signature_refused', { facts: { reason: 'identity' } });
    const held = Math.min(bytes ?? maxBytes, maxBytes);
    whenClosed(response, admission.enter(claim.fingerprint.toString('hex'), held));
    Object.assign(response.locals, { claim, maxBytes });
    next();
  };
  // The signature is over the exact bytes, whatever their type is said to be.
  const bytes = (request: Request, response: Response<unknown, Claimed>, next: NextFunction) =>
    express.raw({ type: () => true, limit: response.locals.maxBytes, inflate: false })(
      request,
      response,
      next,
    );
  const serve = async (request: Request, response: Response<unknown, Claimed>): Promise<void> => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { claim } = response.locals;
    const signer = await hold(body, () => claim.proveFor(body));
    await byIdentity.consume(signer.certificate.fingerprint.toString('hex')).catch(() => {
      throw new CataloguedError('server.unavailable', { facts: { reason: 'too many messages' } });
    });
    const message = await hold(body, () => readOrUndefined(body));
    dependencies.metrics.received(kindOf(message));
    if (!message) return acknowledgeUnreadable(dependencies.database, body, signer, response);
    refuseUnlessList(message, body.length);
    try {
      await dispatch({ ...dependencies, given, idles }, { message, body, signer }, response);
    } catch (error) {
      await recordForeignUse(dependencies.database, message, signer, error);
      throw error;
    }
  };
  // Devices send PUT (Apple, "Check-in"); some simulators send POST.
  router.route('/mdm').put(judge, bytes, serve).post(judge, bytes, serve);
  return router;
}

function readOrUndefined(body: Buffer): DeviceMessage | undefined {
  try {
    return readDeviceMessage(body);
  } catch (error) {
    if (error instanceof CataloguedError && error.code === 'mdm.message_unreadable') return undefined;
    throw error;
  }
}

const kindOf = (message: DeviceMessage | undefined): string =>
  message?.type === 'Report' ? message.status : (message?.type ?? 'unreadable');

/** A response that nobody can read must not block the device's queue: it is kept and acknowledged. */
async function acknowledgeUnreadable(
  database: Database,
  body: Buffer,
  signer: Signer,
  response: Response,
): Promise<void> {
  await database.inTransaction(async (sql) => {
    const device = await findDeviceByIdentity(sql, signer.certificate.fingerprint);
    // Only devices may leave something here, so that a certificate alone fills no table.
    if (!device) throw new CataloguedError('mdm.message_unreadable');
    await recordContact(sql, device.udid);
    await recordUnparsedResponse(sql, {
      deviceId: device.id,
      reason: 'not a device message',
      body: redactedForStorage(body),
    });
    await passOverUnreadable(sql, device.id, body);
  });
  response.status(200).end();
}

interface Received {
  readonly message: DeviceMessage;
  readonly body: Buffer;
  readonly signer: Signer;
}

async function dispatch(
  dependencies: MdmDependencies & ConversationDependencies,
  received: Received,
  response: Response,
): Promise<void> {
  const { message, body, signer } = received;
  const { database } = dependencies;
  const { userId } = message;
  if (userId !== undefined) {
    const { status, command } = await respondToUser(dependencies, { ...message, userId }, body, signer);
    const plist = command && plistOf(dependencies.sealer, command);
    if (!plist) return void response.status(status).end();
    dependencies.metrics.handedOver();
    return void response.status(status).type('application/xml').send(plist);
  }
  switch (message.type) {
    case 'Authenticate':
      await authenticate(dependencies, message, signer);
      break;
    case 'TokenUpdate':
      await updateToken(database, message, signer);
      break;
    case 'CheckOut':
      await checkOut(database, message, signer);
      break;
    case 'Report': {
      const command = await converse(dependencies, { report: message, body, signer }, (gone) => {
        response.on('close', gone);
      });
      if (command) {
        dependencies.metrics.handedOver();
        return void response.status(200).type('application/xml').send(command);
      }
      break;
    }
    // Not offered in the profile's ServerCapabilities: "no such declaration", "no such user", "no such token".
    case 'DeclarativeManagement':
      return void response.status(404).end();
    case 'UserAuthenticate':
      return void response.status(410).end();
    case 'GetToken':
      return void response.status(404).end();
    case 'SetBootstrapToken':
      await setBootstrapToken(dependencies, message, signer);
      break;
    case 'GetBootstrapToken': {
      const token = await getBootstrapToken(dependencies, message, signer);
      if (token) return void response.status(200).type('application/xml').send(token);
      break;
    }
  }
  response.status(200).end();
}

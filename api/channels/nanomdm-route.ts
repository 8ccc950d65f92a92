// Where a NanoMDM server sends its webhooks. It sends each once and looks only for 200, so what fails here is lost to it, and asked again.
import express, { type Request, type Response, type Router } from 'express';
import { readDeviceMessage } from '../../adapters/mdm/device-message.ts';
import { isSignedWith, readWebhook, SIGNATURE_HEADER } from '../../adapters/nanomdm/webhook.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { findChannel, recordWebhook, type ChannelRow } from '../../adapters/store/devices/channels.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { AtOnce } from '../http/at-once.ts';
import { whenClosed } from '../http/when-closed.ts';
import type { CompareConfiguration } from '../mdm/response-reading.ts';
import { adopt, requestDetails, type ChannelClient } from './adoption.ts';
import { recordTold } from './told.ts';
import { isUuid } from '../../domain/uuid.ts';

export interface ChannelSecrets {
  /** The API of a channel. */
  client(channelId: string): Promise<ChannelClient>;
  /** With which the channel's server signs its webhooks. */
  webhookKey(channel: ChannelRow): Promise<string>;
}

interface Dependencies {
  readonly database: Database;
  readonly compareConfiguration: CompareConfiguration;
  readonly channels: ChannelSecrets;
}

interface Judged extends Record<string, unknown> {
  channel: ChannelRow;
}

/** A message of 2 MB (a list of some thousand entries) in base64, and what is around it. */
const MAX_BYTES = 3 * 1024 * 1024;
/** Nobody is known before the whole body is there: so many are read at once, of one address half of them. */
const MAX_AT_ONCE = 32;
const MAX_OF_ADDRESS = 16;
/** NanoMDM sends each webhook once, and many at once where many devices call: so many of one address wait for a place. */
const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 5_000;

export function nanoMdmRoute(dependencies: Dependencies): Router {
  const router = express.Router();
  const [ofAll, ofAddress] = [new AtOnce(MAX_AT_ONCE, MAX_WAITING), new AtOnce(MAX_OF_ADDRESS, MAX_WAITING)];
  // Before the body: else strangers who never send theirs take the places of those who have something to tell.
  const judge = async (request: Request, response: Response<unknown, Judged>, next: () => void) => {
    response.locals.channel = await channelOf(dependencies, String(request.params['id']));
    for (const enter of [
      () => ofAddress.enterWithin(request.ip ?? '', MAX_WAIT_MS),
      () => ofAll.enterWithin('webhooks', MAX_WAIT_MS),
    ]) {
      // One after the other: what has no place here takes none there.
      const leave = await enter();
      if (leave === undefined)
        throw new CataloguedError('server.unavailable', { facts: { reason: 'too many webhooks' } });
      whenClosed(response, leave);
    }
    next();
  };
  const bytes = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });
  const serve = async (request: Request, response: Response<unknown, Judged>) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { channel } = response.locals;
    const key = await dependencies.channels.webhookKey(channel);
    if (!isSignedWith(key, body, request.get(SIGNATURE_HEADER)))
      throw new CataloguedError('channel.webhook_refused');
    await recordWebhook(dependencies.database, channel.id);
    await take(dependencies, channel, body);
    response.status(200).end();
  };
  router.post('/channels/:id/webhook', judge, bytes, serve);
  return router;
}

async function channelOf({ database }: Dependencies, id: string): Promise<ChannelRow> {
  const channel = isUuid(id) ? await findChannel(database, id) : undefined;
  // As where the signature is wrong: an id is random, and nobody learns more of it.
  if (channel === undefined) throw new CataloguedError('channel.webhook_refused');
  return channel;
}

async function take(dependencies: Dependencies, channel: ChannelRow, body: Buffer): Promise<void> {
  const { database, channels } = dependencies;
  const event = readWebhook(body);
  if (event === undefined) return;
  const message = readDeviceMessage(event.body);
  const told = { channel, at: event.createdAt, message, body: event.body };
  if ((await recordTold(dependencies, told)) !== 'unknown') return;
  if (message.type === 'CheckOut' || (await adopt(database, told))) return;
  const client = await channels.client(channel.id);
  // Known since: its Authenticate was told at the same time.
  if ((await requestDetails(database, client, channel, message.udid)) === 'known')
    await recordTold(dependencies, told);
}

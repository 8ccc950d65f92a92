// Tells who records a field test what went between a device and Odette; without one it does nothing.
import { channel } from 'node:diagnostics_channel';
import type { RequestHandler } from 'express';
import { EXCHANGE_CHANNEL, type Exchange } from '../../domain/field-recording.ts';

const exchanges = channel(EXCHANGE_CHANNEL);

/** Before the routes: it sees the body once they have read it. */
export const publishExchanges: RequestHandler = (request, response, next) => {
  if (!exchanges.hasSubscribers) return next();
  let sent: unknown;
  const send = response.send.bind(response);
  response.send = (body) => {
    sent ??= body;
    return send(body);
  };
  response.on('finish', () => {
    const exchange: Exchange = {
      kind: 'device',
      method: request.method,
      url: request.originalUrl,
      signature: request.get('Mdm-Signature'),
      request: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      status: response.statusCode,
      response: Buffer.isBuffer(sent) ? sent : Buffer.alloc(0),
    };
    exchanges.publish(exchange);
  });
  next();
};

// Stands between a server that sends webhooks and who takes them: passes them on, or loses, doubles and reorders them.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';

interface Webhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WebhookRelay {
  readonly url: string;
  /** Who takes them. */
  target: string | undefined;
  /** Everything that came. */
  readonly seen: Webhook[];
  /** Of them, those that were taken. */
  taken: number;
  /** From 0 up to 1: what becomes of the next one. */
  readonly luck: { lost: number; doubled: number; held: number };
  /** Whatever luck says: true loses it. */
  loses: (body: Buffer) => Promise<boolean>;
  /** Passes on what it holds back, the newest first. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** @param seed what happens to which webhook is the same again with the same one */
export async function startWebhookRelay(seed: number): Promise<WebhookRelay> {
  const held: Webhook[] = [];
  const random = seededRandom(seed);
  const server = createServer();
  const pass = async ({ headers, body }: Webhook): Promise<number> => {
    if (relay.target === undefined) return 503;
    const kept = {
      'content-type': 'application/json',
      'x-hmac-signature': String(headers['x-hmac-signature']),
    };
    const answer = await fetch(relay.target, { method: 'POST', headers: kept, body: new Uint8Array(body) });
    if (answer.status === 200) relay.taken += 1;
    return answer.status;
  };
  server.on('request', (request, response) => {
    void buffer(request).then(async (body) => {
      const webhook = { headers: request.headers, body };
      relay.seen.push(webhook);
      const { lost, doubled, held: kept } = relay.luck;
      if ((await relay.loses(body)) || random() < lost) return response.writeHead(502).end();
      if (random() < kept) {
        held.push(webhook);
        return response.writeHead(200).end();
      }
      const status = await pass(webhook).catch(() => 502);
      if (random() < doubled) await pass(webhook).catch(() => 502);
      return response.writeHead(status).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const relay: WebhookRelay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    target: undefined,
    seen: [],
    taken: 0,
    luck: { lost: 0, doubled: 0, held: 0 },
    loses: () => Promise.resolve(false),
    async release() {
      for (let next = held.pop(); next; next = held.pop()) await pass(next).catch(() => 502);
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
  return relay;
}

/** Mulberry32: numbers from 0 up to 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

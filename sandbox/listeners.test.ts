import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, test } from 'vitest';
import { listen, shut } from './listeners.ts';

const server = createServer();
afterEach(() => server.close());

test('a listener ends although a client has connected and not begun its TLS handshake', async () => {
  await listen(server, 0);
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  await accepted;
  const closed = once(client, 'close');
  await shut(server);
  await closed;
}, 5_000);

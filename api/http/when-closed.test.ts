import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { AtOnce } from './at-once.ts';
import { whenClosed } from './when-closed.ts';

const servers: (() => void)[] = [];
afterEach(() => servers.splice(0).forEach((close) => close()));

test.each(['before', 'after'])('whoever hangs up %s it got its place gives it back', async (when) => {
  const places = new AtOnce(1);
  let goOn: () => void = () => undefined;
  const hangsUp = new Promise<void>((resolve) => (goOn = resolve));
  let entered = 0;
  const server = createServer((request, response) => {
    void (async () => {
      if (when === 'before') await hangsUp;
      const leave = places.enter('one');
      if (leave) whenClosed(response, leave);
      entered += 1;
    })();
    request.resume();
    response.once('close', goOn);
  }).listen(0, '127.0.0.1');
  servers.push(() => server.close());
  await once(server, 'listening');
  const asked = once(server, 'request');
  const sent = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  sent.on('error', () => undefined);
  await asked;
  if (when === 'after') await expect.poll(() => entered).toBe(1);
  sent.destroy();
  await hangsUp;
  await expect.poll(() => entered).toBe(1);
  expect(places.enter('one')).toBeDefined();
});

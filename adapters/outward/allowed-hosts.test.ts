import { expect, test } from 'vitest';
import { isHostAllowed } from './allowed-hosts.ts';

test.each([
  ['https://mdm.example.com/', ['mdm.example.com'], true],
  ['https://mdm.example.com:9000/', ['mdm.example.com'], true],
  ['https://mdm.example.com:9000/', ['MDM.example.com:9000'], true],
  ['https://mdm.example.com/', ['mdm.example.com:443'], true],
  ['https://mdm.example.com:9001/', ['mdm.example.com:9000'], false],
  ['https://mdm.example.com/', [], false],
  ['https://evil.example.com/', ['mdm.example.com'], false],
  ['http://mdm.example.com/', ['mdm.example.com'], false],
  ['http://127.0.0.1:9000/', ['127.0.0.1:9000'], true],
  ['http://localhost/', ['localhost:80'], true],
  ['https://mdm.example.com@evil.example.com/', ['mdm.example.com'], false],
  ['https://user:key@mdm.example.com/', ['mdm.example.com'], false],
  ['file:///etc/passwd', [''], false],
  ['no address', ['no address'], false],
])('%s with %j: %s', (address, allowed, isAllowed) => {
  expect(isHostAllowed(allowed, address)).toBe(isAllowed);
});

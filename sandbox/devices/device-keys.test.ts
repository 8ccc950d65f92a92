// The keys of pretend devices are whole RSA 2048 keys, and no two devices have the same.
import { sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { DeviceKeys } from './device-keys.ts';

test('keys that many devices take at once are all different, of 2048 bits, and sign', async () => {
  const keys = new DeviceKeys();
  const taken = await Promise.all(Array.from({ length: 50 }, () => keys.take()));
  const numbers = taken.map(({ publicKey }) => publicKey.export({ format: 'jwk' }).n);
  expect(new Set(numbers).size).toBe(50);
  const text = Buffer.from('signed');
  for (const { publicKey, privateKey } of taken) {
    expect(publicKey.asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65_537n });
    expect(verify('sha256', text, publicKey, sign('sha256', text, privateKey))).toBe(true);
  }
});

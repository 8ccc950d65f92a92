// A recording of a field test holds the form of an exchange, and nothing that is anybody's.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact, redactPage, redactPath } from './field-recording.ts';

const MESSAGE = {
  MessageType: 'Authenticate',
  UDID: '66ADE930-5FDF-5EC4-8429-15640684C489',
  SerialNumber: 'C02MT66KFLHH',
  DeviceName: 'Zoe’s Mac',
  OSVersion: '15.7.2',
  BuildVersion: '24G325',
  ProductName: 'Mac15,6',
  Token: new Uint8Array(32),
  Challenge: new Uint8Array(20),
  Favorite: 'Fruit',
};

test('what is published is kept, of everything else the form', () => {
  expect(redact(MESSAGE)).toEqual({
    MessageType: 'Authenticate',
    UDID: '<text>',
    SerialNumber: '<text>',
    DeviceName: '<text>',
    OSVersion: '15.7.2',
    BuildVersion: '24G325',
    ProductName: 'Mac15,6',
    Token: '<data of 32 bytes>',
    Challenge: '<data of 20 bytes>',
    '<unknown 1>': '<text>',
  });
  expect(
    redact({ ErrorChain: [{ ErrorCode: 15002, ErrorDomain: 'MDM-SCEP', LocalizedDescription: 'Zoe' }] }),
  ).toEqual({
    ErrorChain: [{ ErrorCode: 15002, ErrorDomain: 'MDM-SCEP', LocalizedDescription: '<text>' }],
  });
});

test('a value in the place of a kept one is kept only if it has its form', () => {
  expect(
    redact({ OSVersion: 'C02MT66KFLHH', Status: 'zoe', ErrorDomain: 'secret', ErrorCode: 123456789012 }),
  ).toEqual({
    OSVersion: '<text>',
    Status: '<text>',
    ErrorDomain: '<text>',
    ErrorCode: '<number>',
  });
});

test('no serial number, token, name or secret survives, wherever it stands', () => {
  // Long enough that it could not be met by chance in a word that is kept.
  const secret = fc.stringMatching(/^[A-Za-z0-9@.-]{9,40}$/).map((text) => `9${text}Z`);
  const names = fc.oneof(fc.constantFrom(...Object.keys(MESSAGE), 'status', 'Identifier', 'profile'), secret);
  const leaf = fc.oneof(
    secret,
    secret.map((text) => new TextEncoder().encode(text)),
    fc.integer({ min: 1e9 }),
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('node')), fc.dictionary(names, tie('node'))),
  })).node;
  fc.assert(
    fc.property(secret, tree, (planted, around) => {
      const text = JSON.stringify(redact([around, { [planted]: planted, Status: planted, id: [planted] }]));
      return !text.includes(planted) && !/\d{9}|[A-Z0-9]{12}/.test(text);
    }),
  );
});

test('addresses lose their ids, pages their words', () => {
  expect(redactPath('/api/v1/devices/guo4a5u7JHHhjXrMK0g4/users')).toBe('/api/v1/devices/<id>/users');
  expect(redactPath('/pki/zoe/mdm')).toBe('/pki/<id>/mdm');
  expect(redactPage('<HTML><b class="s3cret">The password is s3cret</b></HTML>')).toEqual(['html', 'b']);
});

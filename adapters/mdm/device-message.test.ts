// What devices send: recorded messages are read, and what the protocol does not know is refused.
import { describe, expect, test } from 'vitest';
import { problemsOfCheckIn } from '../../test/apple-schema/apple-schema.ts';
import { recordedMessage } from '../../test/recorded-message.ts';
import { readDeviceMessage } from './device-message.ts';
import { buildPlist, parsePlistDict, type PlistDict } from './plist.ts';

const read = (dict: PlistDict) => readDeviceMessage(buildPlist(dict));
const UDID = '66ADE930-5FDF-5EC4-8429-15640684C489';
const TOPIC = 'com.apple.mgmt.External.e0bd1eac';

describe('recorded messages', () => {
  test('a Mac and an iPad begin an enrollment', () => {
    expect(readDeviceMessage(recordedMessage('nanomdm/Authenticate.2.plist'))).toMatchObject({
      type: 'Authenticate',
      udid: UDID,
      serialNumber: 'C02MT66KFLHH',
      productName: 'iMac14,2',
      deviceName: 'Fruit',
      osVersion: '10.12.6',
    });
    expect(readDeviceMessage(recordedMessage('nanomdm/Authenticate.1.plist'))).toMatchObject({
      type: 'Authenticate',
      productName: 'iPad2,5',
    });
  });

  test('a token update carries token, magic and, from an iPad, the unlock token', () => {
    const message = readDeviceMessage(recordedMessage('nanomdm/TokenUpdate.1.plist'));
    expect(message).toMatchObject({
      type: 'TokenUpdate',
      pushMagic: 'CEFDF0BD-E342-4A27-8742-E930EA116B0A',
      token: Buffer.from('R+juwGLC9ynsFwPBs+GPGXHYXwC+dkRdNAgLqnAbX1E=', 'base64'),
      awaitingConfiguration: false,
    });
    expect(message.type === 'TokenUpdate' && message.unlockToken?.length).toBeGreaterThan(1000);
  });

  test('fit the schema, but for one key that Macs really send', () => {
    // The challenge of a Mac's Authenticate is in no version of the schema.
    const { Challenge, ...authenticate } = parsePlistDict(recordedMessage('nanomdm/Authenticate.2.plist'));
    expect(Challenge).toBeDefined();
    expect(problemsOfCheckIn(authenticate, { platform: 'macOS', osVersion: '10.12.6' })).toEqual([]);
    const update = parsePlistDict(recordedMessage('nanomdm/TokenUpdate.1.plist'));
    expect(problemsOfCheckIn(update, { platform: 'iOS', osVersion: '9.3.5' })).toEqual([]);
  });

  test('a refusal carries its chain of causes', () => {
    expect(readDeviceMessage(recordedMessage('nanocmd/resp-error.plist'))).toMatchObject({
      type: 'Report',
      status: 'Error',
      commandUuid: 'D053EE3A-EE0E-4E82-87D2-BB3624186694',
      errorChain: [{ code: -909, domain: 'NSOSStatusErrorDomain' }],
    });
  });
});

test('of a chain without end the outermost causes and the deepest are kept, each cut where nobody reads on', () => {
  const causes = Array.from({ length: 500 }, (_, code) => ({
    ErrorCode: code,
    ErrorDomain: `MCMDMErrorDomain${'x'.repeat(1000)}`,
    USEnglishDescription: 'y'.repeat(10_000),
  }));
  const message = read({
    Status: 'Error',
    UDID,
    CommandUUID: 'D053EE3A-EE0E-4E82-87D2-BB3624186694',
    ErrorChain: causes,
  });
  const errorChain = message.type === 'Report' ? message.errorChain : [];
  expect(errorChain.map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 499]);
  expect(JSON.stringify(errorChain).length).toBeLessThan(6000);
});

test('messages are told apart by what they hold', () => {
  expect(read({ MessageType: 'CheckOut', Topic: TOPIC, UDID })).toMatchObject({
    type: 'CheckOut',
    udid: UDID,
  });
  expect(read({ Status: 'Idle', UDID })).toMatchObject({ type: 'Report', status: 'Idle', errorChain: [] });
  expect(read({ Status: 'NotNow', UDID, CommandUUID: 'c' })).toMatchObject({ commandUuid: 'c' });
  expect(read({ MessageType: 'DeclarativeManagement', UDID, Endpoint: 'tokens' })).toMatchObject({
    endpoint: 'tokens',
  });
});

test('an empty bootstrap token means that the kept one is to go', () => {
  const message = read({ MessageType: 'SetBootstrapToken', UDID, BootstrapToken: Buffer.alloc(0) });
  expect(message).not.toHaveProperty('bootstrapToken');
});

test('a user enrollment and a user channel are recognized', () => {
  expect(read({ Status: 'Idle', EnrollmentID: 'e-1', UserID: 'u-1' })).toMatchObject({
    udid: 'e-1',
    userId: 'u-1',
  });
});

const UPDATE = { MessageType: 'TokenUpdate', UDID, Topic: TOPIC, PushMagic: 'm' };

test('an endless name is cut, not refused', () => {
  const message = read({ MessageType: 'Authenticate', UDID, Topic: TOPIC, DeviceName: 'n'.repeat(5000) });
  expect(message).toMatchObject({ deviceName: 'n'.repeat(255) });
});

test.each<[string, PlistDict]>([
  ['nobody', { Status: 'Idle' }],
  ['no message and no status', { UDID }],
  ['an unknown message', { MessageType: 'Hello', UDID }],
  ['an unknown status', { Status: 'Fine', UDID, CommandUUID: 'c' }],
  ['a response to no command', { Status: 'Acknowledged', UDID }],
  ['a token update without a token', { MessageType: 'TokenUpdate', UDID, Topic: TOPIC, PushMagic: 'm' }],
  ['a token that no push could carry', { ...UPDATE, Token: Buffer.alloc(300) }],
  ['a device with an endless name of its own', { Status: 'Idle', UDID: 'u'.repeat(300) }],
  ['a token that is text', { MessageType: 'TokenUpdate', UDID, Topic: TOPIC, PushMagic: 'm', Token: 'x' }],
])('%s is refused', (_name, dict) => {
  expect(() => read(dict)).toThrow('mdm.message_unreadable');
});

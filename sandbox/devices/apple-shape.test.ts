// What pretend devices say has the form that Apple's schema gives it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlistValue } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { problemsOfResponse, problemsOfCheckIn, targetsOf } from '../../test/apple-schema/apple-schema.ts';
import { payload, profileOf } from '../../test/harness/small-mdm-server.ts';
import type { TestWorld } from '../../test/harness/sandbox-world.ts';
import { openTestWorld } from '../../test/harness/sandbox-world.ts';

const ONLY = { Identifiers: [OKTA_VERIFY.bundleId] };
const ITEM = {
  Item: 'ApplicationConfiguration',
  Identifier: OKTA_VERIFY.bundleId,
  Configuration: { a: 'b' },
};

/** Where devices are known to differ: a recorded Authenticate of a Mac has it; the protocol reference has a list of results. */
const KNOWN = ['Challenge: unknown key', 'Settings: array where dictionary is expected'];
const unknown = (problems: readonly string[]): string[] =>
  problems.filter((problem) => !KNOWN.includes(problem));

describe('by Apple’s schema', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await openTestWorld();
  });
  afterAll(() => world.close());

  const targets = [...targetsOf('macOS'), ...targetsOf('iOS')];
  it.each(targets)('$platform $osVersion: check-in messages and every response', async (target) => {
    const family = target.platform === 'macOS' ? 'Mac' : 'iPhone';
    world.server.received.length = 0;
    const device = await world.enrolled({
      family,
      name: `${family.toLowerCase()}-${target.osVersion.replaceAll('.', '-')}`,
      hardware: { osVersion: target.osVersion },
      knobs: { downloadSeconds: 0 },
    });
    for (const { dict } of world.server.received)
      expect(unknown(problemsOfCheckIn(dict, target))).toEqual([]);
    world.licenses.add(device.state.hardware.serialNumber);
    const root = payload('com.apple.security.root', {
      PayloadContent: world.server.authority.certificate.der,
    });
    const commands: [string, { readonly [key: string]: PlistValue }][] = [
      ['DeviceInformation', {}],
      ['InstallProfile', { Payload: world.server.sign(profileOf('root', [root])) }],
      ['ProfileList', {}],
      ['CertificateList', {}],
      [
        'InstallApplication',
        {
          iTunesStoreID: Number(OKTA_VERIFY.adamId),
          Options: { PurchaseMethod: 1 },
          ChangeManagementState: 'Managed',
          ...(family === 'Mac' && { InstallAsManaged: true }),
        },
      ],
      ['ManagedApplicationList', ONLY],
      ['InstalledApplicationList', ONLY],
      ['Settings', { Settings: [ITEM] }],
      ['ManagedApplicationConfiguration', ONLY],
      ['RemoveApplication', { Identifier: OKTA_VERIFY.bundleId }],
      ['RemoveProfile', { Identifier: 'test.root' }],
    ];
    for (const [requestType, keys] of commands) {
      const response = await world.ask(device, requestType, keys);
      expect({ requestType, status: response['Status'] }).toEqual({ requestType, status: 'Acknowledged' });
      expect(unknown(problemsOfResponse(requestType, response, target))).toEqual([]);
    }
  });
});

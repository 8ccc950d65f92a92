// A pretend device speaks the protocol: enrollment, signed messages, commands until the empty response, interruptions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../adapters/mdm/device-message.ts';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { payload, profileOf } from '../../test/harness/small-mdm-server.ts';
import type { TestWorld } from '../../test/harness/sandbox-world.ts';
import { openTestWorld, push } from '../../test/harness/sandbox-world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await openTestWorld();
});
afterAll(() => world.close());

const statuses = (): string[] =>
  world.server.received.filter((one): one is Report => one.type === 'Report').map((one) => one.status);
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

describe('a pretend device', () => {
  it('enrolls by SCEP, then says Authenticate and TokenUpdate, signed with its new identity', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'enrolls' });
    expect(world.server.received.map((one) => one.type)).toEqual(['Authenticate', 'TokenUpdate']);
    expect(new Set(world.server.signers)).toEqual(new Set([mac.state.hardware.serialNumber]));
    expect(world.server.received[0]).toMatchObject({
      topic: world.server.topic,
      udid: mac.state.hardware.udid,
    });
  });

  it('as a Mac signs its SCEP request with a key made for it, as an iPhone with the key of the request, or as it is told', async () => {
    const own = { subject: 'C=US,CN=MDM SCEP SIGNER', isOfRequest: false };
    const cases = [
      ['Mac', undefined, own],
      ['iPhone', undefined, { isOfRequest: true }],
      ['iPad', undefined, { isOfRequest: true }],
      ['Mac', 'request', { isOfRequest: true }],
      ['iPhone', 'own', own],
    ] as const;
    for (const [family, scepSigner, expected] of cases) {
      world.server.scepSigners.length = 0;
      await world.enrolled({
        family,
        name: `scep-${family}-${scepSigner ?? 'default'}`.toLowerCase(),
        ...(scepSigner && { knobs: { scepSigner } }),
      });
      expect(world.server.scepSigners).toEqual([expect.objectContaining(expected)]);
    }
  });

  it('signs as real devices do, or with attributes, as it is told', async () => {
    for (const signature of ['no-attributes-sha1', 'attributes-sha256'] as const) {
      const device = await world.enrolled({ family: 'iPhone', name: `signs-${signature}`, signature });
      await expect(world.ask(device, 'DeviceInformation')).resolves.toMatchObject({ Status: 'Acknowledged' });
    }
  });

  it('wakes on a push with its own magic and tells its token again after a push with another', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'wakes' });
    const before = statuses().length;
    expect(push(mac)).toBe(true);
    await expect.poll(() => statuses().slice(before)).toEqual(['Idle']);
    const tokens = (): number => world.server.received.filter((one) => one.type === 'TokenUpdate').length;
    const told = tokens();
    mac.pushTarget(mac.state.enrollment?.pushToken ?? '')?.deliver(Buffer.from('{"mdm":"other"}'));
    await expect.poll(tokens).toBe(told + 1);
  });

  it('cannot be pushed while it sleeps, and does not talk', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'sleeps' });
    await mac.setPower('asleep');
    const before = statuses().length;
    expect(push(mac)).toBe(false);
    await quiet();
    expect(statuses().length).toBe(before);
  });

  it('responds NotNow, asks again by itself when that was its last word, and obeys then', async () => {
    const mac = await world.enrolled({
      family: 'Mac',
      name: 'busy',
    });
    mac.state.knobs.notNow = { times: 1 };
    mac.state.knobs.notNowSeconds = 0.05;
    const before = statuses().length;
    await expect(world.ask(mac, 'ProfileList')).resolves.toMatchObject({ Status: 'Acknowledged' });
    await expect.poll(() => statuses().slice(before)).toEqual(['Idle', 'NotNow', 'Idle', 'Acknowledged']);
  });

  it('never responds NotNow to DeviceInformation on an iPhone', async () => {
    const phone = await world.enrolled({ family: 'iPhone', name: 'never-busy' });
    phone.state.knobs.notNow = { times: 5 };
    await expect(world.ask(phone, 'DeviceInformation')).resolves.toMatchObject({ Status: 'Acknowledged' });
  });

  it('responds with the error that it is told to send, once', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'breaks' });
    const chain = [
      { ErrorCode: 12, ErrorDomain: 'X', LocalizedDescription: 'no', USEnglishDescription: 'no' },
    ];
    mac.state.knobs.breaks.push({ requestType: 'ProfileList', times: 1, status: 'Error', errorChain: chain });
    await expect(world.ask(mac, 'ProfileList')).resolves.toMatchObject({
      Status: 'Error',
      ErrorChain: chain,
    });
    await expect(world.ask(mac, 'ProfileList')).resolves.toMatchObject({ Status: 'Acknowledged' });
  });

  it('refuses an app with the reason that it is told to give', async () => {
    const phone = await world.enrolled({ family: 'iPhone', name: 'rejects' });
    phone.state.knobs.breaks.push({
      requestType: 'InstallApplication',
      times: 1,
      status: 'Error',
      errorChain: [],
      rejectionReason: 'AppAlreadyInstalled',
    });
    const response = await world.ask(phone, 'InstallApplication', { iTunesStoreID: 1 });
    expect(response).toMatchObject({ Status: 'Error', RejectionReason: 'AppAlreadyInstalled' });
    expect(response).not.toHaveProperty('ErrorChain');
  });

  it('refuses the profile that it is told to refuse, and no other', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'chooses' });
    mac.state.knobs.breaks.push({
      requestType: 'RemoveProfile',
      profile: '.sso',
      times: 1,
      status: 'Error',
      errorChain: [
        { ErrorCode: 12, ErrorDomain: 'X', LocalizedDescription: 'no', USEnglishDescription: 'no' },
      ],
    });
    const other = await world.ask(mac, 'RemoveProfile', { Identifier: 'odette.i.d.settings' });
    expect(other['ErrorChain']).not.toMatchObject([{ ErrorDomain: 'X' }]);
    const meant = await world.ask(mac, 'RemoveProfile', { Identifier: 'odette.i.d.sso' });
    expect(meant['ErrorChain']).toMatchObject([{ ErrorDomain: 'X' }]);
  });

  it('sends a response again until the server takes it', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'persists' });
    mac.state.knobs.commandMs = 50;
    const response = world.ask(mac, 'ProfileList');
    await expect.poll(() => statuses().at(-1)).toBe('Idle');
    world.server.outage = { status: 503, times: 2 };
    await expect(response).resolves.toMatchObject({ Status: 'Acknowledged' });
    expect(mac.state.counts['refused.503']).toBe(2);
  });

  it('goes on after a restart of the sandbox with the response it had not delivered', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'restarts' });
    const point = world.holds.set({ message: 'device.ProfileList', phase: 'before', device: 'restarts' });
    const response = world.ask(mac, 'ProfileList');
    await world.holds.untilHeld(5000);
    const fleet = await world.reopenFleet();
    world.holds.remove(point.id);
    await expect(response).resolves.toMatchObject({ Status: 'Acknowledged' });
    await expect.poll(() => fleet.get('restarts')?.state.unsent).toBeUndefined();
  });

  it('leaves when the server says so, and says so itself when its user removes management', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'leaves' });
    world.server.outage = { status: 401, times: 1 };
    push(mac);
    await expect.poll(() => mac.isEnrolled).toBe(false);
    const phone = await world.enrolled({ family: 'iPhone', name: 'checks-out' });
    await phone.checkOut();
    expect(world.server.received.at(-1)?.type).toBe('CheckOut');
    expect(phone.state.profiles).toEqual([]);
  });

  it('keeps apart what is gone: an old push token says so', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'returns' });
    const old = mac.state.enrollment?.pushToken ?? '';
    await mac.enroll({ url: world.server.url, code: 'any' }, true);
    expect(mac.pushTarget(old)?.isGone).toBe(true);
    expect(mac.pushTarget(mac.state.enrollment?.pushToken ?? '')?.isGone).toBe(false);
  });

  it('renews its identity when the enrollment profile comes again, and keeps its token', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'renews' });
    const { identity, pushToken } = { ...mac.state.enrollment };
    const response = await world.ask(mac, 'InstallProfile', { Payload: world.server.enrollmentProfile() });
    expect(response['Status']).toBe('Acknowledged');
    expect(mac.state.enrollment?.identity).not.toBe(identity);
    expect(mac.state.enrollment?.pushToken).toBe(pushToken);
  });

  it('refuses a renewed enrollment profile that adds a right or takes user connections away', async () => {
    const { server } = world;
    server.mdmKeys = { AccessRights: 7443, ServerCapabilities: ['com.apple.mdm.per-user-connections'] };
    const mac = await world.enrolled({ family: 'Mac', name: 'strict' });
    const renewWith = async (change: PlistDict) => {
      server.mdmKeys = { ...server.mdmKeys, ...change };
      const response = await world.ask(mac, 'InstallProfile', { Payload: server.enrollmentProfile() });
      return response['Status'];
    };
    expect(await renewWith({ AccessRights: 8191 })).toBe('Error');
    expect(await renewWith({ AccessRights: 7443, ServerCapabilities: [] })).toBe('Error');
    expect(await renewWith({ ServerCapabilities: ['com.apple.mdm.per-user-connections'] })).toBe(
      'Acknowledged',
    );
    server.mdmKeys = {};
  });

  it('as a Mac, escrows a bootstrap token, asks for it back and speaks for its users, where that is offered', async () => {
    const { server } = world;
    server.mdmKeys = {
      ServerCapabilities: ['com.apple.mdm.per-user-connections', 'com.apple.mdm.bootstraptoken'],
    };
    const mac = await world.enrolled({ family: 'Mac', name: 'escrows' });
    expect(mac.state.counts).toMatchObject({
      bootstrapTokensEscrowed: 1,
      bootstrapTokensReturned: 1,
    });
    await expect.poll(() => mac.state.counts['usersServed']).toBe(1);
    expect(mac.state.counts['directoryUsersDeclined']).toBe(1);
    server.bootstrapToken = Buffer.from('another');
    await world.ask(mac, 'InstallProfile', { Payload: server.enrollmentProfile() });
    await expect.poll(() => mac.state.counts['bootstrapTokensLost']).toBe(1);
    const phone = await world.enrolled({ family: 'iPhone', name: 'plain' });
    expect(Object.keys(phone.state.counts).filter((name) => /oken|user/i.test(name))).toEqual([]);
    server.mdmKeys = {};
    const alone = await world.enrolled({ family: 'Mac', name: 'alone' });
    expect(Object.keys(alone.state.counts).filter((name) => /oken|user/i.test(name))).toEqual([]);
  });

  it('refuses another MDM server in place of its own', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'faithful' });
    const scep = payload('com.apple.security.scep', { PayloadContent: { URL: 'https://localhost:1/scep' } });
    const mdm = payload('com.apple.mdm', {
      IdentityCertificateUUID: scep['PayloadUUID'] as string,
      Topic: 'com.apple.mgmt.External.other',
      ServerURL: 'https://localhost:1/mdm',
      AccessRights: 8191,
    });
    const response = await world.ask(mac, 'InstallProfile', {
      Payload: world.server.sign(profileOf('enrollment', [scep, mdm])),
    });
    expect(response).toMatchObject({ Status: 'Error', ErrorChain: [{ ErrorCode: 12012 }] });
  });
});

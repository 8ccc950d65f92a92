// Apps on a pretend device: licenses, downloads, prompts, management taken over, configuration read back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { PretendDevice } from './device.ts';
import type { NewDevice } from './fleet.ts';
import type { TestWorld } from '../../test/harness/sandbox-world.ts';
import { openTestWorld } from '../../test/harness/sandbox-world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await openTestWorld();
});
afterAll(() => world.close());

const INSTALL = {
  iTunesStoreID: Number(OKTA_VERIFY.adamId),
  Options: { PurchaseMethod: 1 },
  ChangeManagementState: 'Managed',
};
const APP = { bundleId: OKTA_VERIFY.bundleId, name: 'Okta Verify', version: '9.1' };
const ONLY = { Identifiers: [OKTA_VERIFY.bundleId] };

async function licensed(wanted: NewDevice): Promise<PretendDevice> {
  const device = await world.enrolled(wanted);
  world.licenses.add(device.state.hardware.serialNumber);
  return device;
}
const installOn = (device: PretendDevice, keys: PlistDict = {}): Promise<PlistDict> =>
  world.ask(device, 'InstallApplication', {
    ...INSTALL,
    ...(device.state.family === 'Mac' && { InstallAsManaged: true }),
    ...(keys as typeof INSTALL),
  });
const status = async (device: PretendDevice): Promise<unknown> => {
  const list = (await world.ask(device, 'ManagedApplicationList', ONLY))[
    'ManagedApplicationList'
  ] as PlistDict;
  return (list[OKTA_VERIFY.bundleId] as PlistDict | undefined)?.['Status'];
};

describe('installing Okta Verify', () => {
  it('is acknowledged before the download, which takes its time', async () => {
    const mac = await licensed({ family: 'Mac', name: 'downloads', knobs: { downloadSeconds: 60 } });
    await expect(installOn(mac)).resolves.toMatchObject({ Status: 'Acknowledged', State: 'Installing' });
    expect(await status(mac)).toBe('Installing');
    await expect(installOn(mac)).resolves.toMatchObject({
      Status: 'Error',
      ErrorChain: [{ ErrorCode: 506, ErrorDomain: 'ASDErrorDomain' }],
    });
    world.clock.move(60_000);
    expect(await status(mac)).toBe('Managed');
  });

  it('needs a license of the device', async () => {
    const mac = await world.enrolled({ family: 'Mac', name: 'unlicensed' });
    await expect(installOn(mac)).resolves.toMatchObject({
      Status: 'Error',
      RejectionReason: 'Other',
      ErrorChain: [{ ErrorCode: 12064 }, { ErrorCode: 9610 }],
    });
  });

  it('without InstallAsManaged a Mac installs it and does not manage it', async () => {
    const mac = await licensed({ family: 'Mac', name: 'unmanaged', knobs: { downloadSeconds: 0 } });
    await world.ask(mac, 'InstallApplication', INSTALL);
    expect(await status(mac)).toBeUndefined();
    const { InstalledApplicationList } = await world.ask(mac, 'InstalledApplicationList', ONLY);
    expect(InstalledApplicationList).toMatchObject([{ Identifier: OKTA_VERIFY.bundleId, Installing: false }]);
  });

  it('takes over the management of one from the App Store, without a download', async () => {
    const mac = await licensed({ family: 'Mac', name: 'has-it' });
    await mac.installByHand(APP, 'appStore');
    await expect(installOn(mac)).resolves.toMatchObject({ State: 'Managed' });
    expect(mac.state.counts['downloads']).toBeUndefined();
    expect(mac.state.counts['managementTakenOver']).toBe(1);
  });

  it('cannot take over the downloadable package, which also lacks the App Store’s marks', async () => {
    const mac = await licensed({ family: 'Mac', name: 'has-package' });
    await mac.installByHand(APP, 'package');
    await expect(installOn(mac)).resolves.toMatchObject({
      Status: 'Error',
      ErrorChain: [{ ErrorCode: 12025 }],
    });
    const { InstalledApplicationList } = await world.ask(mac, 'InstalledApplicationList', ONLY);
    expect(InstalledApplicationList).toEqual([
      expect.not.objectContaining({ ExternalVersionIdentifier: expect.anything() }),
    ]);
  });

  it('a download that fails is told once, then forgotten', async () => {
    const mac = await licensed({
      family: 'Mac',
      name: 'fails',
      knobs: { downloadFails: true, downloadSeconds: 0 },
    });
    await installOn(mac);
    expect(await status(mac)).toBe('Failed');
    expect(await status(mac)).toBeUndefined();
  });
});

describe('an unsupervised iPhone', () => {
  it('asks its user, and downloads after a yes', async () => {
    const phone = await licensed({
      family: 'iPhone',
      name: 'asks',
      isSupervised: false,
      knobs: { promptAnswer: 'wait', downloadSeconds: 0 },
    });
    await expect(installOn(phone)).resolves.toMatchObject({ State: 'Prompting' });
    expect(await status(phone)).toBe('Prompting');
    expect(await phone.answerPrompt('accept')).toBe(true);
    await expect.poll(() => status(phone)).toBe('Managed');
  });

  it('tells of a refusal once', async () => {
    const phone = await licensed({
      family: 'iPhone',
      name: 'refuses',
      isSupervised: false,
      knobs: { promptAnswer: 'refuse', promptSeconds: 0 },
    });
    await installOn(phone);
    await expect.poll(() => phone.state.apps[0]?.status).toBe('UserRejected');
    expect(await status(phone)).toBe('UserRejected');
    expect(await status(phone)).toBeUndefined();
  });

  it('whose user keeps the app to himself refuses management only', async () => {
    const phone = await licensed({
      family: 'iPhone',
      name: 'keeps',
      isSupervised: false,
      knobs: { promptAnswer: 'refuse', promptSeconds: 0 },
    });
    await phone.installByHand(APP, 'appStore');
    await expect(installOn(phone)).resolves.toMatchObject({ State: 'PromptingForManagement' });
    await expect.poll(() => phone.state.apps[0]?.status).toBe('ManagementRejected');
    expect(await status(phone)).toBe('ManagementRejected');
    expect(phone.state.apps).toMatchObject([{ bundleId: OKTA_VERIFY.bundleId }]);
  });
});

describe('app configuration', () => {
  const settings = (configuration?: PlistDict): { Settings: PlistDict[] } => ({
    Settings: [
      {
        Item: 'ApplicationConfiguration',
        Identifier: OKTA_VERIFY.bundleId,
        ...(configuration && { Configuration: configuration }),
      },
    ],
  });
  const readBack = async (device: PretendDevice): Promise<unknown> =>
    (await world.ask(device, 'ManagedApplicationConfiguration', ONLY))['ApplicationConfigurations'];

  it('comes with InstallApplication, changes by Settings, is read back, and goes when it is left out', async () => {
    const pad = await licensed({ family: 'iPad', name: 'configured', knobs: { downloadSeconds: 0 } });
    await installOn(pad, { Configuration: { managementHint: 'one' } });
    expect(await readBack(pad)).toMatchObject([{ Configuration: { managementHint: 'one' } }]);
    await expect(world.ask(pad, 'Settings', settings({ managementHint: 'two' }))).resolves.toMatchObject({
      Settings: [{ Status: 'Acknowledged' }],
    });
    expect(await readBack(pad)).toMatchObject([{ Configuration: { managementHint: 'two' } }]);
    await world.ask(pad, 'Settings', settings());
    expect(await readBack(pad)).toEqual([{ Identifier: OKTA_VERIFY.bundleId }]);
  });

  it('is refused for an app that is not managed', async () => {
    const phone = await licensed({ family: 'iPhone', name: 'bare' });
    await expect(world.ask(phone, 'Settings', settings({ managementHint: 'x' }))).resolves.toMatchObject({
      Settings: [{ Status: 'Error', ErrorChain: [{ ErrorCode: 12029 }] }],
    });
  });
});

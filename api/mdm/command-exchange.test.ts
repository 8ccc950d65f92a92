// The queue as a device sees it: the traces that make other queues lose or repeat commands, offers, withdrawals, and what responses change.
// Long, because all of it is asked of one listener and its devices.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { findCommand, withdrawCommand } from '../../adapters/store/devices/commands.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { readDoctorFacts } from '../../adapters/store/rollout/doctor-facts.ts';
import { diagnose } from '../../domain/doctor.ts';
import { findInventory } from '../../adapters/store/devices/inventory.ts';
import {
  queueFor,
  startDeviceListener,
  type CommandWish,
  type DeviceListener,
} from '../../test/harness/device-listener.ts';
import { ProtocolDevice } from '../../test/harness/protocol-device.ts';
import { queueCommand } from '../../test/harness/queue-command.ts';

let listener: DeviceListener;
let device: ProtocolDevice;
let deviceId: string;
let enrollmentId: string;

beforeAll(async () => {
  listener = await startDeviceListener({
    compareConfiguration: (_, configurations) =>
      Promise.resolve(
        configurations[0]?.configuration['managementHint'] === 'SECRET-HINT' ? 'revision-7' : undefined,
      ),
  });
});
afterAll(() => listener.stop());
beforeEach(async () => {
  device = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const row = await findDeviceForUpdate(listener.database, device.udid);
  deviceId = row?.id ?? '';
  enrollmentId = row?.enrollmentId ?? '';
  await listener.database.query('delete from outbox');
});

const queue = (wish?: CommandWish) => queueFor(listener, { id: deviceId, enrollmentId }, wish);

/** Each response with the message that tells it. */
const told = async () => {
  const rows = await listener.database.query<{
    message: {
      workflowId: string;
      startsRollout: boolean;
      body: { responses: readonly Record<string, unknown>[] };
    };
  }>('select message from outbox order by position');
  return rows.flatMap(({ message }) => message.body.responses.map((body) => ({ ...message, body })));
};
const statuses = async () => (await told()).map(({ body }) => body['status']);
const state = async (uuid: string) => (await findCommand(listener.database, uuid))?.state;

describe('five traces that break other queues', () => {
  test('1: a command acknowledged after NotNow is done, and nothing more is offered', async () => {
    const [a, b] = [await queue(), await queue()];
    expect(await device.idle()).toBe(a);
    expect(await device.notNow(a)).toBe(b);
    expect(await device.acknowledge(b)).toBeUndefined();
    expect(await device.acknowledge(a)).toBeUndefined();
    expect(await device.idle()).toBeUndefined();
  });

  test('2: a command that got NotNow is offered at the next Idle, not before, and none is lost', async () => {
    const [a, b] = [await queue(), await queue()];
    expect(await device.idle()).toBe(a);
    expect(await device.notNow(a)).toBe(b);
    expect(await device.acknowledge(b)).toBeUndefined();
    expect(await device.notNow(a)).toBeUndefined();
    expect(await device.idle()).toBe(a);
    expect(await device.acknowledge(a)).toBeUndefined();
  });

  test('3: the same acknowledgement again loses nothing', async () => {
    const [a, b, c] = [await queue(), await queue(), await queue()];
    expect(await device.idle()).toBe(a);
    expect(await device.acknowledge(a)).toBe(b);
    expect(await device.acknowledge(a)).toBe(b);
    expect(await device.acknowledge(b)).toBe(c);
    expect(await device.acknowledge(c)).toBeUndefined();
    expect((await statuses()).length).toBe(3);
  });

  test('4: a response to an unknown command is taken and recorded, and leaves the queue as it is', async () => {
    const [a, b] = [await queue(), await queue()];
    expect(await device.acknowledge(randomUUID())).toBeUndefined();
    expect(await device.acknowledge('not-even-a-uuid')).toBeUndefined();
    expect([await state(a), await state(b)]).toEqual(['queued', 'queued']);
    expect(await unparsed()).toEqual([
      expect.stringMatching(/^Acknowledged for an unknown command/),
      'Acknowledged for an unknown command not-even-a-uuid',
    ]);
    expect(await device.idle()).toBe(a);
  });

  test('5: a stray NotNow after the final status is ignored', async () => {
    const a = await queue();
    expect(await device.idle()).toBe(a);
    expect(await device.acknowledge(a)).toBeUndefined();
    expect(await device.notNow(a)).toBeUndefined();
    expect(await device.idle()).toBeUndefined();
    expect(await statuses()).toEqual(['Acknowledged']);
  });
});

const unparsed = () =>
  listener.database
    .query<{ reason: string }>('select reason from unparsed_responses where device_id = $1 order by at', [
      deviceId,
    ])
    .then((rows) => rows.map(({ reason }) => reason));

describe('what is offered', () => {
  test('a command whose response was lost is offered again at the next Idle', async () => {
    const a = await queue();
    expect(await device.idle()).toBe(a);
    expect(await device.idle()).toBe(a);
  });

  test('a command that may be handed over once becomes unknown at the next Idle, and a late response is still taken', async () => {
    const a = await queue({ handsOverOnce: true, workflow: 'certificate', isSealed: true });
    expect(await device.idle()).toBe(a);
    expect(await device.idle()).toBeUndefined();
    expect(await told()).toMatchObject([
      {
        workflowId: `certificate/${deviceId}`,
        startsRollout: false,
        body: { commandUuid: a, status: 'Unknown' },
      },
    ]);
    expect(await findCommand(listener.database, a)).toMatchObject({ state: 'withdrawn', status: 'Unknown' });
    await device.acknowledge(a);
    expect(await statuses()).toEqual(['Unknown', 'Acknowledged']);
    const [row] = await listener.database.query(
      'select 1 from commands where uuid = $1 and sealed_body is null',
      [a],
    );
    expect(row).toBeDefined();
  });

  test('a command that may be handed over once and got NotNow was not carried out: it is offered again', async () => {
    const a = await queue({ handsOverOnce: true });
    expect(await device.idle()).toBe(a);
    expect(await device.notNow(a)).toBeUndefined();
    expect(await device.idle()).toBe(a);
    expect(await device.notNow(a)).toBeUndefined();
    expect(await statuses()).toEqual(['NotNow']);
    expect(await withdrawCommand(listener.database, a)).toBe(true);
    expect(await device.idle()).toBeUndefined();
  });

  test('a command whose time is over is withdrawn instead', async () => {
    const a = await queue({ lifeMs: -1000, step: 'certificate' });
    const b = await queue();
    expect(await device.idle()).toBe(b);
    expect(await told()).toMatchObject([
      { body: { commandUuid: a, step: 'certificate', status: 'Withdrawn' } },
    ]);
  });

  test("a command's life is counted by the database's clock, not by that of a worker two hours behind", async () => {
    vi.useFakeTimers({ now: Date.now() - 2 * 60 * 60 * 1000, toFake: ['Date'] });
    const a = await queue({ lifeMs: 60_000, step: 'certificate' }).finally(() => vi.useRealTimers());
    expect(await device.idle()).toBe(a);
  });

  test('a certificate is handed over only while the device is in scope of the integration that it is for', async () => {
    const deliver = async () => {
      const uuid = await queue({ handsOverOnce: true, isSealed: true, workflow: 'certificate' });
      await listener.database.query(
        `insert into certificate_deliveries (id, device_id, integration_id, slot, payload_uuid, command_uuid, state, challenge_fetched_at)
           select $2, $1, integration_id, 'a', gen_random_uuid(), $3, 'sent', now() from library_items`,
        [deviceId, randomUUID(), uuid],
      );
      return uuid;
    };
    const wanted = await deliver();
    expect(await device.idle()).toBe(wanted);
    await device.acknowledge(wanted);
    const late = await deliver();
    await listener.database.query('update devices set blueprint_id = null where id = $1', [deviceId]);
    expect(await device.idle()).toBeUndefined();
    expect(await findCommand(listener.database, late)).toMatchObject({
      state: 'withdrawn',
      handedOverAt: null,
    });
    expect(await statuses()).toEqual(['Acknowledged', 'Withdrawn']);
  });

  test('withdrawing succeeds only until the hand-over', async () => {
    const [a, b] = [await queue(), await queue()];
    expect(await device.idle()).toBe(a);
    expect(await withdrawCommand(listener.database, a)).toBe(false);
    expect(await withdrawCommand(listener.database, b)).toBe(true);
    expect(await device.acknowledge(a)).toBeUndefined();
  });

  test('a newer command of the same step takes the place of the older one', async () => {
    const a = await queue({ step: 'settings' });
    const b = await queue({ step: 'settings' });
    expect(await state(a)).toBe('withdrawn');
    expect(await device.idle()).toBe(b);
  });

  test('the same UUID is queued once, and a command of another enrollment is born withdrawn', async () => {
    const a = await queue();
    const again = await queueCommand(listener.database, {
      uuid: a,
      deviceId,
      enrollmentId,
      workflowId: 'rollout/x',
      step: 'other',
      requestType: 'ProfileList',
    });
    expect(again).toMatchObject({ uuid: a, state: 'queued', requestType: 'InstallProfile' });
    enrollmentId = randomUUID();
    expect(await state(await queue())).toBe('withdrawn');
  });
});

test('a Mac in Power Nap that says NotNow for minutes is offered each command once a conversation, and tells its workflow once', async () => {
  const [a, b] = [await queue(), await queue()];
  for (let nap = 0; nap < 40; nap += 1) {
    const offers: (string | undefined)[] = [await device.idle()];
    while (offers.at(-1) !== undefined) offers.push(await device.notNow(offers.at(-1) ?? ''));
    expect(offers).toEqual([a, b, undefined]);
  }
  expect(await statuses()).toEqual(['NotNow', 'NotNow']);
  // Awake: nothing was lost, and nothing comes twice.
  expect(await device.idle()).toBe(a);
  expect(await device.acknowledge(a)).toBe(b);
  expect(await device.acknowledge(b)).toBeUndefined();
  expect(await device.idle()).toBeUndefined();
});

test('a Mac in Power Nap that says more than 300 things a minute is told to come again, and then gets its commands, each once', async () => {
  const [a, b] = [await queue(), await queue()];
  expect(await device.idle()).toBe(a);
  const says = () => device.send({ Status: 'NotNow', UDID: device.udid, CommandUUID: a });
  let response = await says();
  while (response.status === 200) response = await says();
  expect([response.status, Number(response.headers.get('retry-after'))]).toEqual([503, 15]);
  expect(await statuses()).toEqual(['NotNow']);
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
  try {
    expect(await device.idle()).toBe(a);
    expect(await device.acknowledge(a)).toBe(b);
    expect(await device.acknowledge(b)).toBeUndefined();
    expect(await device.idle()).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
}, 120_000);

describe('what a response changes', () => {
  test('a host that another profile claims is named by that profile, as the device lists it', async () => {
    const install = await queue();
    await device.idle();
    await device.report({
      Status: 'Error',
      CommandUUID: install,
      ErrorChain: [
        {
          ErrorCode: 4001,
          ErrorDomain: 'MCInstallationErrorDomain',
          LocalizedDescription: 'Profile Installation Failed',
        },
        {
          ErrorCode: 34001,
          ErrorDomain: 'MCSSOErrorDomain',
          LocalizedDescription: 'The host is claimed already.',
        },
      ],
    });
    expect((await told()).map(({ body }) => body['failureCode'])).toEqual(['mdm.sso_host_claimed']);
    const list = await queue({ requestType: 'ProfileList' });
    await device.idle();
    await device.acknowledge(list, {
      ProfileList: [
        {
          PayloadIdentifier: 'com.example.sso',
          PayloadUUID: randomUUID(),
          PayloadVersion: 1,
          PayloadDisplayName: 'Single sign-on of somebody else',
          PayloadContent: [
            {
              PayloadType: 'com.apple.extensiblesso',
              PayloadIdentifier: 'com.example.sso.1',
              PayloadVersion: 1,
            },
          ],
        },
      ],
    });
    // As the rollout notes it when it ends.
    await listener.database.query(
      `insert into device_trust (device_id, phase, failure_code) values ($1, 'failed', 'mdm.sso_host_claimed')
         on conflict (device_id) do update set phase = excluded.phase, failure_code = excluded.failure_code`,
      [deviceId],
    );
    const examined = await readDoctorFacts(listener.database, deviceId, new Date());
    const found = examined && diagnose(examined.facts).find(({ cause }) => cause === 'host_claimed');
    expect(found?.evidence).toContain('"Single sign-on of somebody else"');
  });

  test('lists replace what was reported; a list that is missing does not empty it', async () => {
    const first = await queue({ requestType: 'ManagedApplicationList' });
    await device.idle();
    await device.acknowledge(first, {
      ManagedApplicationList: { 'com.okta.mobile': { Status: 'Managed', HasConfiguration: true } },
    });
    const second = await queue({ requestType: 'ManagedApplicationList' });
    await device.idle();
    await device.acknowledge(second);
    expect((await findInventory(listener.database, deviceId))?.applications).toEqual([
      { identifier: 'com.okta.mobile', status: 'Managed', hasConfiguration: true },
    ]);
    expect((await told()).map(({ body }) => body['failureCode'])).toEqual([
      undefined,
      'mdm.message_unreadable',
    ]);
    expect(await unparsed()).toEqual(['ManagedApplicationList without ManagedApplicationList']);
  });

  test('details of the device are kept', async () => {
    const a = await queue({ requestType: 'DeviceInformation' });
    await device.idle();
    await device.acknowledge(a, {
      QueryResponses: { DeviceName: 'New name', OSVersion: '26.2', IsSupervised: true },
    });
    expect(await findDeviceForUpdate(listener.database, device.udid)).toMatchObject({
      name: 'New name',
      osVersion: '26.2',
      isSupervised: true,
      model: 'Mac14,2',
    });
  });

  test('an error is told by its kind', async () => {
    const a = await queue({ requestType: 'InstallProfile', step: 'certificate' });
    await device.idle();
    const ErrorChain = [{ ErrorCode: 22013, ErrorDomain: 'MCSCEPErrorDomain', LocalizedDescription: 'no' }];
    await device.report({ Status: 'Error', CommandUUID: a, ErrorChain });
    expect(await told()).toMatchObject([
      {
        startsRollout: true,
        body: { commandUuid: a, step: 'certificate', status: 'Error', failureCode: 'scep.enrollment_failed' },
      },
    ]);
    expect((await findCommand(listener.database, a))?.failure).toMatchObject({
      code: 'scep.enrollment_failed',
    });
  });

  test('a configuration that is read back is compared and kept nowhere', async () => {
    const hints = ['SECRET-HINT', 'ANOTHER-HINT'];
    const revisions = [];
    for (const managementHint of hints) {
      const a = await queue({ requestType: 'ManagedApplicationConfiguration' });
      await device.idle();
      const ApplicationConfigurations = [
        { Identifier: 'com.okta.mobile', Configuration: { managementHint } },
      ];
      await device.acknowledge(a, { ApplicationConfigurations });
      await device.acknowledge(randomUUID(), { ApplicationConfigurations });
      revisions.push((await findInventory(listener.database, deviceId))?.appConfigurationRevision);
    }
    expect(revisions).toEqual(['revision-7', null]);
    const [saved] = await listener.database.query<{ dump: string }>(
      `select (select string_agg(t::text, '') from unparsed_responses t) || (select string_agg(t::text, '') from commands t)
           || (select string_agg(t::text, '') from reported_inventory t) || (select string_agg(t::text, '') from outbox t) as dump`,
    );
    for (const hint of hints) {
      expect(saved?.dump).not.toContain(hint);
      expect(saved?.dump).not.toContain(Buffer.from(hint).toString('hex'));
    }
  });

  test('what nobody can read is kept and acknowledged, and the queue goes on', async () => {
    const a = await queue();
    expect(await device.idle()).toBe(a);
    const response = await device.sendBytes(Buffer.from('<plist><dict><key>Status</key>'));
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(await unparsed()).toEqual(['not a device message']);
    const b = await queue();
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await device.idle()).toBe(a);
      await device.sendBytes(Buffer.from('<plist>'));
    }
    expect(await device.idle()).toBe(b);
    expect(await told(), 'its workflow waits for the other one, too').toEqual([]);
    await device.acknowledge(b);
    expect(await told()).toMatchObject([
      { body: { commandUuid: a, failureCode: 'mdm.message_unreadable' } },
      { body: { commandUuid: b, status: 'Acknowledged' } },
    ]);
  });

  test('what nobody can read closes the command that it names, at once, and never another', async () => {
    const a = await queue();
    expect(await device.idle()).toBe(a);
    const naming = (uuid: string) =>
      Buffer.from(`<plist><dict><key>CommandUUID</key><string>${uuid}</string>`, 'utf8');
    await device.sendBytes(naming(randomUUID()));
    await device.sendBytes(naming(randomUUID()));
    await device.sendBytes(naming(randomUUID()));
    expect(await told()).toEqual([]);
    expect(await device.idle()).toBe(a);
    await device.sendBytes(naming(a));
    expect(await told()).toMatchObject([{ body: { commandUuid: a, failureCode: 'mdm.message_unreadable' } }]);
  });
});

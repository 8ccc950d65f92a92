// Enrollment over real HTTP: Authenticate, TokenUpdate, CheckOut, takeover, renewal of the identity.
// Long, because all of it is asked of one listener and its devices.
import { desiredStateOf, readDeviceState } from '../../adapters/store/rollout/rollout-state.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isDeadlock } from '../../adapters/store/base/deadlock.ts';
import { readDeviceAddress } from '../../adapters/store/devices/device-address.ts';
import { findDeviceForUpdate } from '../../adapters/store/devices/devices.ts';
import { newIdentityChallenge } from '../../adapters/store/devices/identity-certificates.ts';
import { enrollmentCodeHash } from '../../adapters/store/devices/enrollments.ts';
import { allowReturn } from '../../adapters/store/devices/returns.ts';
import { replaceProfiles } from '../../adapters/store/devices/inventory.ts';
import { deleteDevice } from '../../adapters/store/rollout/removal.ts';
import { startDeviceListener, type DeviceListener } from '../../test/harness/device-listener.ts';
import {
  challengeFor,
  challengeIn,
  identityFor,
  ProtocolDevice,
} from '../../test/harness/protocol-device.ts';
import { queueCommand } from '../../test/harness/queue-command.ts';

let listener: DeviceListener;
beforeAll(async () => {
  listener = await startDeviceListener();
});
afterAll(() => listener.stop());
beforeEach(() => listener.database.query('delete from outbox'));

const found = async (device: ProtocolDevice) => {
  const row = await findDeviceForUpdate(listener.database, device.udid);
  if (!row) throw new Error('no such device');
  return row;
};
const enroll = async (udid?: string) => ProtocolDevice.enroll(listener.url, await listener.newCode(), udid);
const identity = async (options: { forUdid?: string } = {}) =>
  identityFor(listener.url, await challengeFor(listener.url, await listener.newCode(options)), true);
const told = () =>
  listener.database
    .query<{ message: { workflowId: string; signal: string; startsRollout: boolean } }>(
      'select message from outbox order by position',
    )
    .then((rows) =>
      rows.map(({ message }) => [message.signal, message.workflowId.split('/')[0], message.startsRollout]),
    );
const audited = (deviceId: string) =>
  listener.database
    .query<{ action: string }>('select action from audit_entries where subject = $1 order by at', [
      `device:${deviceId}`,
    ])
    .then((rows) => rows.map(({ action }) => action));

describe('enrollment', () => {
  test('the first one keeps the address that the device knows from then on', async () => {
    expect(await readDeviceAddress(listener.database)).toBeUndefined();
    await enroll();
    expect(await readDeviceAddress(listener.database)).toBe(listener.url.replace('http:', 'https:'));
  });

  test('a device is enrolled at its first TokenUpdate, not at Authenticate', async () => {
    const device = new ProtocolDevice(listener.url, await identity());
    expect((await device.authenticate()).status).toBe(200);
    expect(await found(device)).toMatchObject({
      enrollmentStatus: 'authenticated',
      family: 'Mac',
      platform: 'macOS',
      pushToken: null,
    });
    expect(await device.idle()).toBeUndefined();
    expect((await device.updateToken()).status).toBe(200);
    const row = await found(device);
    expect(row).toMatchObject({
      enrollmentStatus: 'enrolled',
      pushToken: device.token,
      pushMagic: 'magic',
      blueprintId: listener.blueprintId,
    });
    // No workflow can run of a device that was not there: its Authenticate is told to none.
    expect(await told()).toEqual([
      ['deviceEnrolled', 'rollout', true],
      ['deviceEnrolled', 'certificate', false],
    ]);
    expect(await audited(row.id)).toEqual(['enrollment.new']);
  });

  test('a later TokenUpdate brings a new token and tells nobody', async () => {
    const device = await enroll();
    await listener.database.query('delete from outbox');
    await listener.database.query(
      `update devices set enrollment_status = 'unreachable', push_magic = 'old' where udid = $1`,
      [device.udid],
    );
    expect((await device.updateToken()).status).toBe(200);
    expect(await found(device)).toMatchObject({ enrollmentStatus: 'enrolled', pushMagic: 'magic' });
    expect(await told()).toEqual([]);
  });

  test('Authenticate withdraws everything outstanding and resets what was shown of the device', async () => {
    const device = await enroll();
    const before = await found(device);
    await listener.database.inTransaction((sql) =>
      queueCommand(sql, {
        uuid: crypto.randomUUID(),
        deviceId: before.id,
        enrollmentId: before.enrollmentId,
        workflowId: `rollout/${before.id}`,
        step: 'profiles',
        requestType: 'ProfileList',
        body: Buffer.from('x'),
      }),
    );
    await replaceProfiles(listener.database, before.id, []);
    await listener.database.query(
      `insert into device_truths (device_id, truth, state, evidence, since) values ($1, 'delivered', 'held', 'seen', now())`,
      [before.id],
    );
    await listener.database.query(
      `insert into device_trust (device_id, bucket, delivered, phase) values ($1, 'trusted', true, 'delivered')`,
      [before.id],
    );
    expect((await device.authenticate()).status).toBe(200);
    expect((await found(device)).enrollmentId).not.toBe(before.enrollmentId);
    const [left] = await listener.database.query(
      `select (select count(*)::int from commands where device_id = $1 and state <> 'withdrawn') as commands,
              (select count(*)::int from device_truths where device_id = $1) as truths,
              (select count(*)::int from reported_inventory where device_id = $1) as reports,
              (select delivered from device_trust where device_id = $1) as delivered,
              (select phase from device_trust where device_id = $1) as phase`,
      [before.id],
    );
    expect(left).toEqual({ commands: 0, truths: 0, reports: 0, delivered: false, phase: 'not_enrolled' });
    expect((await device.updateToken()).status).toBe(200);
    expect(await device.idle()).toBeUndefined();
  });

  test('after CheckOut the device is out, and its messages are refused until it enrolls again', async () => {
    const device = await enroll();
    const { id } = await found(device);
    expect((await device.checkOut()).status).toBe(200);
    expect((await found(device)).enrollmentStatus).toBe('checked_out');
    expect((await device.updateToken()).status).toBe(400);
    expect((await device.authenticate()).status).toBe(400);
    expect(await audited(id)).toEqual(['enrollment.new', 'enrollment.checked_out', 'enrollment.refused']);
    device.identity = await identity();
    expect([(await device.authenticate()).status, (await device.updateToken()).status]).toEqual([200, 200]);
    expect(await found(device)).toMatchObject({ id, enrollmentStatus: 'enrolled' });
  });

  test('a CheckOut that meets a deadlock is not lost: the device says it only once', async () => {
    // Which of the two PostgreSQL ends is its choice: on a busy machine it may be the other one.
    for (let wasEnded = false; !wasEnded;) {
      const device = await enroll();
      const { id } = await found(device);
      let left: Promise<Response> | undefined;
      wasEnded = await listener.database
        .inTransaction(async (sql) => {
          await sql.query('lock table audit_entries in exclusive mode');
          left = device.checkOut();
          // It holds its device and waits for the audit trail, which waits for the device.
          await expect
            .poll(() =>
              listener.database.query(
                `select from pg_locks where not granted and relation = 'audit_entries'::regclass`,
              ),
            )
            .toHaveLength(1);
          await sql.query('update devices set name = name where id = $1', [id]);
        })
        .then(
          () => true,
          (error: unknown) => {
            if (isDeadlock(error)) return false;
            throw error;
          },
        );
      expect((await left)?.status).toBe(200);
      expect((await found(device)).enrollmentStatus).toBe('checked_out');
    }
  });

  test('iPhones and iPads are known by their product name, and users by their code', async () => {
    const code = await listener.newCode({ userName: 'ada@acme.example' });
    const device = new ProtocolDevice(
      listener.url,
      await identityFor(listener.url, await challengeFor(listener.url, code), true),
    );
    await device.authenticate({ ProductName: 'iPad13,4' });
    expect(await found(device)).toMatchObject({
      family: 'iPad',
      platform: 'iOS',
      userName: 'ada@acme.example',
    });
  });
});

describe('takeover', () => {
  test('another identity that claims an enrolled device is refused with 400 and audited, and changes nothing', async () => {
    const device = await enroll();
    const before = await found(device);
    const thief = new ProtocolDevice(listener.url, await identity(), device.udid);
    const response = await thief.authenticate();
    expect([response.status, await response.text()]).toEqual([400, 'enrollment.takeover_refused\n']);
    expect((await thief.updateToken()).status).toBe(400);
    expect(await found(device)).toEqual({ ...before, returnAskedAt: expect.any(Date) as Date });
    expect(await audited(before.id)).toEqual(['enrollment.new', 'enrollment.refused']);
    expect(await device.idle()).toBeUndefined();
  });

  test('also while the device authenticates again', async () => {
    const device = await enroll();
    await device.authenticate();
    expect(
      (await new ProtocolDevice(listener.url, await identity(), device.udid).authenticate()).status,
    ).toBe(400);
  });

  test('a code made for the device admits a new identity, and the old one is out', async () => {
    const device = await enroll();
    const again = new ProtocolDevice(listener.url, await identity({ forUdid: device.udid }), device.udid);
    expect([(await again.authenticate()).status, (await again.updateToken()).status]).toEqual([200, 200]);
    expect((await device.updateToken()).status).toBe(400);
    expect((await device.authenticate()).status).toBe(400);
    expect(await audited((await found(device)).id)).toEqual([
      'enrollment.new',
      'enrollment.takeover',
      'enrollment.refused',
    ]);
  });

  test('a code made for one device enrolls no other, and an identity enrolls one device', async () => {
    const forOther = await identity({ forUdid: 'ANOTHER' });
    expect((await new ProtocolDevice(listener.url, forOther).authenticate()).status).toBe(400);
    const device = await enroll();
    expect((await new ProtocolDevice(listener.url, device.identity).authenticate()).status).toBe(400);
  });

  test('an identity enrolls once: not another device when a newer one took its place, and none when its device was forgotten', async () => {
    const code = await listener.newCode({ maxUses: 2 });
    const device = await ProtocolDevice.enroll(listener.url, code);
    const saved = device.identity;
    await device.checkOut();
    expect(await deleteDevice(listener.database, (await found(device)).id)).toBe(true);
    expect((await new ProtocolDevice(listener.url, saved, device.udid).authenticate()).status).toBe(400);
    expect((await new ProtocolDevice(listener.url, saved).authenticate()).status).toBe(400);

    const other = await enroll();
    const replaced = other.identity;
    other.identity = await identity({ forUdid: other.udid });
    expect((await other.authenticate()).status).toBe(200);
    const ghost = new ProtocolDevice(listener.url, replaced);
    const response = await ghost.authenticate();
    expect([response.status, await response.text()]).toEqual([400, 'mdm.identity_refused\n']);
  });

  test('an identity of a code that was revoked meanwhile enrolls nothing', async () => {
    const device = new ProtocolDevice(listener.url, await identity());
    await listener.database.query('update enrollment_codes set revoked_at = now() where revoked_at is null');
    expect((await device.authenticate()).status).toBe(400);
    const [none] = await listener.database.query('select 1 from devices where udid = $1', [device.udid]);
    expect(none).toBeUndefined();
  });

  test('a renewed identity is admitted for its device, which stays where it was put', async () => {
    const device = await enroll();
    const { id } = await found(device);
    const challenge = await newIdentityChallenge(listener.database, { forDeviceId: id });
    device.identity = await identityFor(listener.url, challenge, true);
    expect([(await device.authenticate()).status, (await device.updateToken()).status]).toEqual([200, 200]);
    expect(await found(device)).toMatchObject({
      id,
      enrollmentStatus: 'enrolled',
      blueprintId: listener.blueprintId,
    });
    expect(await audited(id)).toEqual(['enrollment.new', 'enrollment.renewal']);
    const stolen = new ProtocolDevice(listener.url, device.identity);
    expect((await stolen.authenticate()).status).toBe(400);
  });

  test('the old identity is accepted until the renewed one has signed a message, and never again; an Authenticate that was lost changes nothing', async () => {
    const device = await enroll();
    const { id, enrollmentId } = await found(device);
    const challenge = await newIdentityChallenge(listener.database, { forDeviceId: id });
    const renewed = new ProtocolDevice(
      listener.url,
      await identityFor(listener.url, challenge, true),
      device.udid,
    );
    expect(await device.idle()).toBeUndefined();
    expect((await device.updateToken()).status).toBe(200);

    expect(await renewed.idle()).toBeUndefined();
    expect((await device.updateToken()).status).toBe(400);
    expect((await device.authenticate()).status).toBe(400);
    expect((await renewed.updateToken()).status).toBe(200);
    expect(await found(device)).toMatchObject({ enrollmentId, enrollmentStatus: 'enrolled' });
    expect(await audited(id)).toEqual(['enrollment.new', 'enrollment.renewal', 'enrollment.refused']);
  });

  test('an identity that renews one device does not speak for another', async () => {
    const [device, other] = [await enroll(), await enroll()];
    const { id } = await found(device);
    const challenge = await newIdentityChallenge(listener.database, { forDeviceId: id });
    const renewed = await identityFor(listener.url, challenge, true);
    expect((await new ProtocolDevice(listener.url, renewed, other.udid).updateToken()).status).toBe(400);
    expect((await other.updateToken()).status).toBe(200);
  });
});

test('a device whose rollout failed because it was silent gets a rollout at its next contact, once a day', async () => {
  const device = await enroll();
  const { id } = await found(device);
  await listener.database.query('delete from outbox');
  await listener.database.query(
    `insert into device_trust (device_id, bucket, phase, failure_code) values ($1, 'needs_you', 'failed', 'mdm.device_silent')`,
    [id],
  );
  await device.idle();
  await device.idle();
  const started = () =>
    listener.database.query(`select 1 from outbox where message->>'kind' = 'rollOutDevice'`);
  expect(await started()).toHaveLength(1);
  await listener.database.query('update outbox set delivered_at = now()');
  await listener.database.query(
    `insert into rollout_runs (run_id, device_id, workflow_id, started_at) values ('r', $1, 'rollout/x', now())`,
    [id],
  );
  await device.idle();
  expect(await started()).toHaveLength(1);
});

describe('a device that was erased, or lost its profile without a word', () => {
  const SERIAL = { SerialNumber: 'C02RETURN' };
  const enrolledWith = async (options: Parameters<DeviceListener['newCode']>[0] = {}) => {
    const code = await listener.newCode(options);
    const device = new ProtocolDevice(
      listener.url,
      await identityFor(listener.url, await challengeFor(listener.url, code), true),
    );
    await device.authenticate(SERIAL);
    await device.updateToken();
    await listener.database.query(
      `insert into device_trust (device_id, bucket, integration_id, managed) select devices.id, 'trusted', integrations.id, true
         from devices, integrations where udid = $1`,
      [device.udid],
    );
    return device;
  };
  const erased = async (device: ProtocolDevice, code: string) =>
    new ProtocolDevice(
      listener.url,
      await identityFor(listener.url, await challengeFor(listener.url, code), true),
      device.udid,
    );
  const usesOf = async (code: string) =>
    (
      await listener.database.query<{ uses: number }>(
        'select uses from enrollment_codes where code_hash = $1',
        [enrollmentCodeHash(code)],
      )
    )[0]?.uses;
  const standing = async (device: ProtocolDevice) =>
    (
      await listener.database.query<{ bucket: string; waitsFor: string }>(
        `select bucket, waits_for from device_trust join devices on devices.id = device_id where udid = $1`,
        [device.udid],
      )
    )[0];

  test('comes back with any fresh code after Apple said that its token is gone, and keeps its user and history', async () => {
    const device = await enrolledWith({ userName: 'ada@acme.example' });
    const { id } = await found(device);
    await listener.database.query(`update devices set enrollment_status = 'unreachable' where id = $1`, [id]);
    const again = await erased(device, await listener.newCode());
    expect([(await again.authenticate(SERIAL)).status, (await again.updateToken()).status]).toEqual([
      200, 200,
    ]);
    expect(await found(device)).toMatchObject({
      id,
      enrollmentStatus: 'enrolled',
      userName: 'ada@acme.example',
    });
    expect((await device.updateToken()).status).toBe(400);
    expect(await audited(id)).toEqual(['enrollment.new', 'enrollment.return']);
    expect((await standing(device))?.bucket).toBe('in_progress');
  });

  test('that still seems enrolled is refused, waits for an admin, and gives its use of the code back', async () => {
    const device = await enrolledWith();
    const code = await listener.newCode({ maxUses: 1 });
    const again = await erased(device, code);
    expect(await usesOf(code)).toBe(1);
    expect((await again.authenticate(SERIAL)).status).toBe(400);
    expect((await again.authenticate(SERIAL)).status).toBe(400);
    expect(await usesOf(code)).toBe(0);
    expect(await standing(device)).toMatchObject({
      bucket: 'needs_you',
      waitsFor: expect.stringContaining('asks to enroll again') as string,
    });
    const { id } = await found(device);
    await allowReturn(listener.database, id, 'person:ada');
    const allowed = await erased(device, code);
    expect([(await allowed.authenticate(SERIAL)).status, (await allowed.updateToken()).status]).toEqual([
      200, 200,
    ]);
    expect(await found(device)).toMatchObject({ id, returnAllowedUntil: null });
  });

  test('one with another serial number is never taken for it, even when a return was allowed', async () => {
    const device = await enrolledWith();
    const { id } = await found(device);
    await allowReturn(listener.database, id, 'person:ada');
    const thief = await erased(device, await listener.newCode());
    expect((await thief.authenticate({ SerialNumber: 'C02THIEF' })).status).toBe(400);
    expect((await found(device)).returnAskedAt).toBeNull();
  });

  test('a sign of life of the earlier enrollment drops the request', async () => {
    const device = await enrolledWith();
    await (await erased(device, await listener.newCode())).authenticate(SERIAL);
    expect((await found(device)).returnAskedAt).not.toBeNull();
    await device.idle();
    expect((await found(device)).returnAskedAt).toBeNull();
    expect((await standing(device))?.bucket).not.toBe('needs_you');
  });

  test('the page that gave out the profile tells its user to ask the admin', async () => {
    const device = await enrolledWith();
    const page = await fetch(`${listener.url}/enroll`, {
      method: 'POST',
      body: new URLSearchParams({ code: await listener.newCode() }),
    });
    const cookie = (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const outcome = async () =>
      (
        (await (await fetch(`${listener.url}/enroll/outcome`, { headers: { cookie } })).json()) as {
          state: string;
        }
      ).state;
    expect(await outcome()).toBe('waiting');
    const challenge = challengeIn(Buffer.from(await page.arrayBuffer()));
    const again = new ProtocolDevice(
      listener.url,
      await identityFor(listener.url, challenge, true),
      device.udid,
    );
    await again.authenticate(SERIAL);
    expect(await outcome()).toBe('ask_admin');
  });
});

describe('a device that Odette cannot manage says so', () => {
  const trustOf = async (deviceId: string) => {
    const [row] = await listener.database.query<{ bucket: string; waitsFor: string; isInScope: boolean }>(
      `select bucket, waits_for, is_in_scope
         from device_trust join device_scope using (device_id) where device_id = $1`,
      [deviceId],
    );
    return row;
  };
  const begin = async (authenticate: object) => {
    const device = new ProtocolDevice(listener.url, await identity());
    expect((await device.authenticate({ ...authenticate })).status).toBe(200);
    return device;
  };

  test.each([['AppleTV14,1'], ['RealityDevice14,1'], ['']])(
    '“%s” is not supported: it enrolls and is out of scope, with no payloads and no license',
    async (ProductName) => {
      const device = await begin({ ProductName });
      expect((await device.updateToken()).status).toBe(200);
      const { id, family, enrollmentStatus } = await found(device);
      expect([family, enrollmentStatus]).toEqual(['Other', 'enrolled']);
      expect(await trustOf(id)).toMatchObject({
        bucket: 'out_of_scope',
        isInScope: false,
        waitsFor: expect.stringContaining('supports only Macs, iPhones and iPads') as string,
      });
      // Nor when a person, or its next contact, starts a rollout: the payloads hold the iOS secret key.
      const state = await readDeviceState(listener.database, id);
      expect(state && desiredStateOf(state)).toBeNull();
    },
  );

  test('without ProductName the Model says what it is', async () => {
    const device = await begin({ ProductName: '', Model: 'MacBookPro18,3' });
    expect((await found(device)).family).toBe('Mac');
  });

  test('with another topic it is shown from Authenticate on, and is unreachable once enrolled', async () => {
    const Topic = 'com.apple.mgmt.External.other';
    const device = await begin({ Topic });
    const { id } = await found(device);
    expect(await trustOf(id)).toMatchObject({ waitsFor: expect.stringContaining('push topic') as string });
    expect((await device.updateToken({ Topic })).status).toBe(200);
    expect((await found(device)).enrollmentStatus).toBe('unreachable');
    expect(await trustOf(id)).toMatchObject({
      bucket: 'unreachable',
      waitsFor: expect.stringContaining('Odette has no certificate for') as string,
    });
  });

  test.each([[{ Token: Buffer.alloc(0) }], [{ PushMagic: '' }]])(
    'without a push token it is unreachable until it sends one, and keeps its place: %o',
    async (empty) => {
      const device = await enroll();
      const { id } = await found(device);
      expect((await device.updateToken(empty)).status).toBe(200);
      expect(await trustOf(id)).toMatchObject({
        bucket: 'unreachable',
        isInScope: true,
        waitsFor: expect.stringContaining('no push token') as string,
      });
      // It may not be taken over with any code, as a device that Apple knows no longer.
      const other = new ProtocolDevice(listener.url, await identity(), device.udid);
      expect((await other.authenticate()).status).toBe(400);
      await listener.database.query('delete from outbox');
      expect((await device.updateToken()).status).toBe(200);
      expect((await found(device)).enrollmentStatus).toBe('enrolled');
      expect(await trustOf(id)).not.toMatchObject({ bucket: 'unreachable' });
      const messages = await listener.database.query<{ kind: string }>(
        `select message ->> 'kind' as kind from outbox`,
      );
      expect(messages.map(({ kind }) => kind)).toContain('rollOutDevice');
    },
  );
});

test('an identity that speaks for another UDID is an event on its device, once a day', async () => {
  const device = await enroll();
  const { id } = await found(device);
  const copy = new ProtocolDevice(listener.url, device.identity);
  const told = () =>
    listener.database.query<{ detail: object }>(
      `select detail from device_timeline where device_id = $1 and kind = 'identity_used_elsewhere'`,
      [id],
    );
  expect((await copy.send({ Status: 'Idle', UDID: copy.udid })).status).not.toBe(200);
  expect(await told()).toMatchObject([{ detail: { udid: copy.udid } }]);
  expect((await copy.authenticate()).status).not.toBe(200);
  expect((await copy.updateToken()).status).not.toBe(200);
  expect(await told()).toHaveLength(1);
  // One that is enrolled by itself and was restored from the other: its own identity is no event.
  const other = await enroll();
  other.identity = device.identity;
  expect((await other.send({ Status: 'Idle', UDID: other.udid })).status).not.toBe(200);
  expect(await told()).toHaveLength(2);
  expect(await audited(id)).toContain('identity.used_elsewhere');
  expect((await device.idle()) ?? 'nothing').toBe('nothing');
});

test('a device that leaves before anything was derived of it has left', async () => {
  const device = await enroll();
  const { id } = await found(device);
  await listener.database.query('delete from device_trust where device_id = $1', [id]);
  expect((await device.checkOut()).status).toBe(200);
  const [trust] = await listener.database.query('select bucket from device_trust where device_id = $1', [id]);
  expect(trust).toEqual({ bucket: 'left' });
});

// A command goes to one look of many, whatever looks: a waiting request in a statement of its own, a report under the lock of its device.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { queueFor, startDeviceListener, type DeviceListener } from '../../../test/harness/device-listener.ts';
import { ProtocolDevice } from '../../../test/harness/protocol-device.ts';
import { findCommand } from './commands.ts';
import { findDeviceForUpdate, type DeviceRow } from './devices.ts';
import { beginLongPoll } from './long-polls.ts';
import { takeForLongPoll, takeNextCommand } from './next-command.ts';

let listener: DeviceListener;
let device: DeviceRow;

beforeAll(async () => {
  listener = await startDeviceListener();
});
afterAll(() => listener.stop());
beforeEach(async () => {
  const { udid } = await ProtocolDevice.enroll(listener.url, await listener.newCode());
  const row = await findDeviceForUpdate(listener.database, udid);
  if (!row) throw new Error('no device');
  device = row;
});

const queueOnce = () => queueFor(listener, device, { requestType: 'InstallProfile', handsOverOnce: true });
const begin = () => beginLongPoll(listener.database, device.id, 60_000);

describe('of looks at once', () => {
  test('one is given the command, in each of many rounds', async () => {
    for (let round = 0; round < 15; round += 1) {
      const uuid = await queueOnce();
      const { mark } = await begin();
      const looks = await Promise.all([
        ...Array.from({ length: 4 }, () => takeForLongPoll(listener.database, device.id, mark)),
        listener.database.inTransaction(async (sql) => {
          await findDeviceForUpdate(sql, device.udid);
          return (await takeNextCommand(sql, device.id)).next;
        }),
      ]);
      const given = looks.filter((look) => typeof look === 'object');
      expect(given.map((command) => command.uuid)).toEqual([uuid]);
      expect(await findCommand(listener.database, uuid)).toMatchObject({ state: 'handed_over' });
      await listener.database.query(`update commands set state = 'responded' where uuid = $1`, [uuid]);
    }
  });

  test('of two commands each goes to one', async () => {
    const uuids = [await queueOnce(), await queueOnce()];
    const { mark } = await begin();
    const first = await takeForLongPoll(listener.database, device.id, mark);
    const again = await begin();
    const second = await takeForLongPoll(listener.database, device.id, again.mark);
    expect([first, second]).toMatchObject(uuids.map((uuid) => ({ uuid })));
    expect(await takeForLongPoll(listener.database, device.id, (await begin()).mark)).toBe('nothing');
  });
});

test('a command that is withdrawn while a request looks hides no other', async () => {
  const [withdrawn, next] = [await queueOnce(), await queueOnce()];
  const { mark } = await begin();
  let taking: ReturnType<typeof takeForLongPoll> | undefined;
  await listener.database.inTransaction(async (sql) => {
    await findDeviceForUpdate(sql, device.udid);
    taking = takeForLongPoll(listener.database, device.id, mark);
    const isWaiting = async () =>
      (
        await sql.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
      ).length;
    await expect.poll(isWaiting).toBe(1);
    await sql.query(`update commands set state = 'withdrawn', sealed_body = null where uuid = $1`, [
      withdrawn,
    ]);
  });
  expect(await taking).toBe('look');
  expect(await findCommand(listener.database, next)).toMatchObject({ state: 'queued' });
});

test('a request whose place another has taken is given nothing', async () => {
  const uuid = await queueOnce();
  const { mark } = await begin();
  await listener.database.query('update devices set long_poll_until = null where id = $1', [device.id]);
  expect(await takeForLongPoll(listener.database, device.id, mark)).toBe('superseded');
  expect(await findCommand(listener.database, uuid)).toMatchObject({ state: 'queued' });
});

test('where something has expired nothing is given before that is told', async () => {
  const old = await queueOnce();
  await listener.database.query(
    `update commands set expires_at = now() - interval '1 second' where uuid = $1`,
    [old],
  );
  await queueOnce();
  const { mark } = await begin();
  expect(await takeForLongPoll(listener.database, device.id, mark)).toBe('look');
  expect(await findCommand(listener.database, old)).toMatchObject({ state: 'queued' });
});

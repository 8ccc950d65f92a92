// Hold points hold the messages that they name, and let go what they hold.
import { describe, expect, it } from 'vitest';
import { HoldPoints } from './hold-points.ts';

const isOver = async (passing: Promise<void>): Promise<boolean> =>
  Promise.race([
    passing.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20)),
  ]);

describe('a hold point', () => {
  it('holds a message of its name and phase, until that message is released', async () => {
    const holds = new HoldPoints();
    holds.set({ message: 'device.InstallProfile', phase: 'before' });
    const passing = holds.pass('device.InstallProfile', 'before', 'mac');
    expect(await isOver(passing)).toBe(false);
    const [held] = holds.list().held;
    expect(held).toMatchObject({ message: 'device.InstallProfile', phase: 'before', device: 'mac' });
    holds.release(held?.id ?? '');
    expect(await isOver(passing)).toBe(true);
  });

  it.each<[string, string, 'before' | 'after', string]>([
    ['another message', 'device.ProfileList', 'before', 'mac'],
    ['the other phase', 'device.InstallProfile', 'after', 'mac'],
    ['another device', 'device.InstallProfile', 'before', 'phone'],
  ])('lets pass %s', async (_what, message, phase, device) => {
    const holds = new HoldPoints();
    holds.set({ message: 'device.InstallProfile', phase: 'before', device: 'mac' });
    expect(await isOver(holds.pass(message, phase, device))).toBe(true);
  });

  it('takes a star for any part of a name, and nothing else for one', async () => {
    const holds = new HoldPoints();
    holds.set({ message: 'tenant.*.scep.*', phase: 'after' });
    expect(await isOver(holds.pass('tenant.one.scep.PKIOperation', 'after'))).toBe(false);
    expect(await isOver(holds.pass('tenant.one.scepXPKIOperation', 'after'))).toBe(true);
  });

  it('holds as many messages as it is told, and lets go all when it is removed', async () => {
    const holds = new HoldPoints();
    const point = holds.set({ message: '*', phase: 'before', times: 1 });
    const first = holds.pass('apns.push', 'before');
    expect(await isOver(holds.pass('apns.push', 'before'))).toBe(true);
    holds.remove(point.id);
    expect(await isOver(first)).toBe(true);
  });

  it('tells who waits for it as soon as something is held', async () => {
    const holds = new HoldPoints();
    holds.set({ message: 'apns.push', phase: 'before' });
    const told = holds.untilHeld(5000);
    const passing = holds.pass('apns.push', 'before');
    await expect(told).resolves.toHaveLength(1);
    holds.remove();
    await passing;
  });
});

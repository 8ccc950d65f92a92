// Watches devices become trusted; those whose users sign in only when they like are named and not waited for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResponseOf } from '../../api/contract/client.ts';
import type { Stage } from './set-up.ts';

const LOOK_MS = 500;

type Device = ResponseOf<'get /api/devices'>['items'][number];

export interface WatchResult {
  /** Seconds from the start of the demo to the first trusted device; absent when none became trusted in this run. */
  readonly firstTrusted?: number;
  readonly waitingForUser: readonly string[];
  /** Named with what they wait for; empty when every device reached its goal. */
  readonly missing: readonly string[];
}

/** @param patienceSeconds how long to wait for the last device */
export async function watchTrust(stage: Stage, patienceSeconds: number): Promise<WatchResult> {
  const { sandbox, progress } = stage;
  const played = await sandbox.devices();
  const nameOf = (udid: string): string => played.find((one) => one.udid === udid)?.name ?? udid;
  const waitsForUser = new Set(played.filter((one) => one.user.signsIn === 'manual').map((one) => one.udid));
  const said = new Map<string, string>();
  let firstTrusted: number | undefined;
  let isFirstLook = true;
  for (;;) {
    const devices = await ours(
      stage,
      played.map((one) => one.udid),
    );
    for (const device of devices) {
      const line = describe(device);
      if (said.get(device.udid) === line) continue;
      said.set(device.udid, line);
      progress.print(`${nameOf(device.udid)}: ${line}`);
      if (device.bucket === 'trusted' && !isFirstLook) firstTrusted ??= progress.seconds;
    }
    isFirstLook = false;
    const isEnded = (device: Device): boolean =>
      device.bucket === 'trusted' || (device.bucket === 'needs_user' && waitsForUser.has(device.udid));
    const missing = devices.filter((device) => !isEnded(device));
    const isComplete = devices.length === played.length && missing.length === 0;
    if (isComplete || progress.seconds > patienceSeconds)
      return {
        ...(firstTrusted !== undefined && { firstTrusted }),
        waitingForUser: devices
          .filter((one) => one.bucket !== 'trusted' && isEnded(one))
          .map((one) => nameOf(one.udid)),
        missing: [
          ...missing.map((one) => `${nameOf(one.udid)}: ${describe(one)}`),
          ...played.filter((one) => !said.has(one.udid)).map((one) => `${one.name}: not known to Odette`),
        ],
      };
    await sleep(LOOK_MS);
  }
}

async function ours({ odette }: Stage, udids: readonly string[]): Promise<Device[]> {
  const { items } = await odette.call('get /api/devices', { query: { limit: 500 } });
  return items.filter((device) => udids.includes(device.udid));
}

function describe(device: Device): string {
  if (device.bucket === 'trusted') return 'trusted';
  const held = Object.entries(device.truths).filter(([, isHeld]) => isHeld);
  const waits = device.waitsFor ?? device.failureCode ?? device.phase;
  return `${held.length} of 5 truths; ${waits}`;
}

// Kills a process while messages of a rollout are held by the sandbox, each before it arrives or after its response.
import { setTimeout as pause } from 'node:timers/promises';
import type { PartName, World } from './world.ts';

/** What is killed, and started again on the same data. */
export interface Victim {
  kill(): Promise<void>;
  start(): Promise<void>;
}

export const partOf = (world: World, part: PartName): Victim => ({
  kill: () => world.kill(part),
  start: () => world.start(part),
});

export interface KillPoint {
  readonly message: string;
  readonly phase: 'before' | 'after';
  /** Of this device; absent: whichever comes first. */
  readonly device?: string;
  /** The how many-th message of this name; the ones before pass. */
  readonly nth?: number;
}

interface Held {
  readonly id: string;
  readonly message: string;
  readonly point: string;
  readonly since: string;
}

interface WaitingPoint extends KillPoint {
  readonly id: string;
  passed: number;
}

/** The sandbox received nothing for so long: every process that can be is at a kill point. */
const QUIET_MS = 1500;
/**
 * Calls to services end by themselves after about ten seconds; then the kill would come too late. Devices wait for ever, and where others keep
 * talking it is never quiet.
 */
const MAX_HOLD_MS = { service: 7_000, device: 15_000 };

export const nameOf = ({ message, phase, device, nth }: KillPoint): string =>
  `${phase} ${message}${nth === undefined ? '' : ` ${nth}`}${device === undefined ? '' : ` of ${device}`}`;

export class KillRound {
  readonly #world: World;
  readonly #victims: () => Victim;
  readonly #points: WaitingPoint[] = [];
  kills = 0;

  /** @param victims whose turn it is, asked before each kill */
  constructor(world: World, victims: () => Victim) {
    this.#world = world;
    this.#victims = victims;
  }

  async watch(points: readonly KillPoint[]): Promise<void> {
    for (const point of points) {
      const { message, phase, device, nth = 1 } = point;
      const { id } = await this.#world.manage<{ id: string }>('POST', '/holds', {
        message,
        phase,
        times: nth,
        ...(device !== undefined && { device }),
      });
      this.#points.push({ ...point, id, passed: 0 });
    }
  }

  /** Points that have held nothing yet. */
  get open(): readonly KillPoint[] {
    return this.#points;
  }

  /**
   * Kills and starts a victim whenever messages are held, until no point is left or `isOver` says that nothing more will come.
   * What is held is let go while it is down or after it is up again, in turn.
   */
  async run(isOver: () => Promise<boolean>): Promise<void> {
    let lastCounts = '';
    let changedAt = Date.now();
    while (this.#points.length > 0) {
      const held = await this.#heldNow();
      const counts = JSON.stringify(await this.#world.manage('GET', '/counts')) + held.length;
      if (counts !== lastCounts) changedAt = Date.now();
      lastCounts = counts;
      const isLate = held.some(
        ({ message, since }) =>
          Date.now() - Date.parse(since) > MAX_HOLD_MS[message.startsWith('device.') ? 'device' : 'service'],
      );
      if (held.length > 0 && (isLate || Date.now() - changedAt > QUIET_MS))
        await this.#kill(held.map(({ point }) => point));
      else if (held.length === 0 && (await isOver())) return;
      await pause(150);
    }
  }

  async #heldNow(): Promise<Held[]> {
    const { held } = await this.#world.manage<{ held: Held[] }>('GET', '/holds');
    const wanted: Held[] = [];
    for (const one of held) {
      const point = this.#points.find(({ id }) => id === one.point);
      if (!point) continue;
      if (point.passed + 1 >= (point.nth ?? 1)) wanted.push(one);
      else {
        point.passed += 1;
        await this.#world.manage('POST', `/holds/${one.id}/release`);
      }
    }
    return wanted;
  }

  async #kill(pointIds: readonly string[]): Promise<void> {
    const letGo = async (): Promise<void> => {
      for (const id of pointIds) await this.#world.manage('DELETE', `/holds/${id}`);
    };
    this.kills += 1;
    const victim = this.#victims();
    await victim.kill();
    if (this.kills % 2 === 1) await letGo();
    await victim.start();
    await letGo();
    for (const id of pointIds) {
      const at = this.#points.findIndex((point) => point.id === id);
      if (at >= 0) this.#points.splice(at, 1);
    }
  }
}

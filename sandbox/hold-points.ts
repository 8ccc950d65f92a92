// Holds any message of the sandbox before it arrives or before its response leaves, until it is let go: what the kill tests need.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

export type HoldPhase = 'before' | 'after';

export interface HoldPoint {
  readonly id: string;
  /** Name of a message, `*` for any part of it: `device.InstallProfile`, `tenant.one.challenge`, `apns.*`. */
  readonly message: string;
  readonly phase: HoldPhase;
  /** Only messages of this device (its name in the sandbox). */
  readonly device?: string;
  /** Messages still to be held; absent: all. */
  readonly times?: number;
}

export interface HeldMessage {
  readonly id: string;
  readonly point: string;
  readonly message: string;
  readonly phase: HoldPhase;
  readonly device?: string;
  readonly since: string;
}

interface Held extends HeldMessage {
  readonly letGo: () => void;
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(`^${pattern.split('*').map(escapeForRegExp).join('.*')}$`, 'i').test(name);
const escapeForRegExp = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

export class HoldPoints {
  readonly #points = new Map<string, HoldPoint>();
  readonly #held = new Map<string, Held>();
  readonly #watching = new Set<() => void>();

  set(point: Omit<HoldPoint, 'id'>): HoldPoint {
    const kept = { ...point, id: randomUUID() };
    this.#points.set(kept.id, kept);
    return kept;
  }

  list(): { points: HoldPoint[]; held: HeldMessage[] } {
    const held = [...this.#held.values()].map(({ letGo: _, ...message }) => message);
    return { points: [...this.#points.values()], held };
  }

  /** Takes the point away and lets go what it holds. Without an id: everything. */
  remove(pointId?: string): void {
    for (const id of [...this.#points.keys()]) if (!pointId || id === pointId) this.#points.delete(id);
    for (const held of [...this.#held.values()]) if (!pointId || held.point === pointId) held.letGo();
  }

  /** Lets one held message go; its point stays. */
  release(heldId: string): boolean {
    const held = this.#held.get(heldId);
    held?.letGo();
    return held !== undefined;
  }

  /** Resolves with the held messages as soon as there is one, or with none when the time is over. */
  async untilHeld(timeoutMs: number): Promise<HeldMessage[]> {
    if (this.#held.size === 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#watching.delete(done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        this.#watching.add(done);
      });
    }
    return this.list().held;
  }

  /** Called where a message passes; waits if a point wants it. */
  async pass(message: string, phase: HoldPhase, device?: string): Promise<void> {
    const point = [...this.#points.values()].find(
      (candidate) =>
        candidate.phase === phase &&
        matches(candidate.message, message) &&
        (candidate.device === undefined || candidate.device === device),
    );
    if (!point) return;
    if (point.times !== undefined) {
      if (point.times <= 1) this.#points.delete(point.id);
      else this.#points.set(point.id, { ...point, times: point.times - 1 });
    }
    await new Promise<void>((resolve) => {
      const id = randomUUID();
      const letGo = (): void => {
        this.#held.delete(id);
        resolve();
      };
      const since = new Date().toISOString();
      this.#held.set(id, { id, point: point.id, message, phase, ...(device && { device }), since, letGo });
      for (const notify of [...this.#watching]) notify();
    });
  }
}

/**
 * Wraps the listener of a pretend service. `before`: the request has arrived, nothing is done yet.
 * `after`: everything is done, the response has not been sent.
 */
export function holdRequests(
  holds: HoldPoints,
  nameOf: (request: IncomingMessage) => string,
  listener: RequestListener,
): RequestListener {
  return (request, response) => {
    const name = nameOf(request);
    holdResponse(holds, name, response);
    void holds.pass(name, 'before').then(() => listener(request, response));
  };
}

function holdResponse(holds: HoldPoints, name: string, response: ServerResponse): void {
  const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
  const heldEnd = (...given: unknown[]): ServerResponse => {
    void holds.pass(name, 'after').then(() => end(...given));
    return response;
  };
  response.end = heldEnd as typeof response.end;
}

// What a target is told after a look at what needs people: what is new, what grew, what is done.
import type { NotificationRules } from './notification-target.ts';

/** One line of the console's to-do list that needs an admin or operator. */
export interface Need {
  /** The same as long as it is the same matter, whatever numbers its text holds. */
  readonly key: string;
  /** What is to be done, in sentences. */
  readonly text: string;
  /** null: it concerns the installation. */
  readonly devices: number | null;
  /** Of the console, beginning with a slash. */
  readonly path: string;
}

export interface SeenNeed {
  readonly need: Need;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

export type Change = { readonly what: 'new' | 'grew' | 'done'; readonly need: Need };

/** What comes and goes within it is told to nobody. */
export const GRACE_MS = 90_000;
/** So many times more devices than were announced are news. */
const GROWTH = 10;

/** @param announced as this target was told last */
export function planChanges(
  rules: NotificationRules,
  seen: readonly SeenNeed[],
  announced: readonly Need[],
  now: Date,
  graceMs: number = GRACE_MS,
): Change[] {
  const present = seen.filter(({ lastSeenAt }) => now.getTime() - lastSeenAt.getTime() < graceMs);
  const changes: Change[] = present.flatMap(({ need, firstSeenAt }): Change[] => {
    const before = announced.find(({ key }) => key === need.key);
    if (before !== undefined)
      return (need.devices ?? 0) >= Math.max(1, before.devices ?? 0) * GROWTH && before.devices !== null
        ? [{ what: 'grew', need }]
        : [];
    const hasLasted = now.getTime() - firstSeenAt.getTime() >= graceMs;
    return hasLasted && isWanted(rules, need) ? [{ what: 'new', need }] : [];
  });
  const done = announced
    .filter(({ key }) => !present.some(({ need }) => need.key === key))
    .map((need): Change => ({ what: 'done', need }));
  return [...changes, ...done];
}

const isWanted = ({ topics, minDevices }: NotificationRules, { devices }: Need): boolean =>
  devices === null ? topics.includes('installation') : topics.includes('devices') && devices >= minDevices;

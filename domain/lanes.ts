// Whose turn it is wherever work waits in a queue: in the outbox, and in Temporal's task queue, where the number is the priority key. Pure.
import type { OutboxMessage } from './outbox-message.ts';

/** The lower number goes first. Temporal's keys go from 1 to 5. */
export const LANES = {
  /** Somebody waits in front of a screen: the wizard, a wish for a few devices. */
  person: 1,
  /** What a device said, a new enrollment. */
  device: 2,
  /** Renewals that are late, and what a person asked of a large part of the fleet. */
  late: 3,
  /** What Odette does by itself: checks, renewals that have time. */
  routine: 4,
} as const;
export type Lane = keyof typeof LANES;

/** Unless the writer of the message knows better. */
export function laneOf(message: OutboxMessage): Lane {
  switch (message.kind) {
    case 'signal':
    case 'deviceSignal':
    case 'keepCertificate':
      return 'device';
    case 'rollOutDevice':
      return message.ifNoneRuns === true ? 'routine' : 'device';
    case 'pollOktaTrust':
    case 'rollOutFleet':
    case 'removePlatform':
    case 'rotateSecret':
      return 'person';
    case 'sweeps':
      return 'late';
  }
}

/** What Temporal's task queue needs to know. Between integrations of one lane it is fair. */
export const priorityOf = (lane: Lane, integrationId: string | null) => ({
  priorityKey: LANES[lane],
  ...(integrationId === null ? {} : { fairnessKey: integrationId }),
});

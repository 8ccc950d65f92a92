// How a command reaches a device and its response comes back: the port behind which Odette's own MDM server stands, and any other.
// What comes back (enrolled, checked out, idle, responded) is recorded in one place, api/mdm/record-report.ts, whatever channel it came by.
// An installation has several channels, a device is on one.
import { isEnrolled, type EnrollmentStatus } from './device.ts';
import type { FailureCode } from './failures.ts';

/** Servers of other makers, by which Odette sends. */
export const OTHER_CHANNEL_KINDS = ['nanomdm', 'fleet'] as const;
export type OtherChannelKind = (typeof OTHER_CHANNEL_KINDS)[number];
export const CHANNEL_KINDS = ['built_in', ...OTHER_CHANNEL_KINDS] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** So many devices are adopted by one request. */
export const MAX_ADOPTED_AT_ONCE = 200;

/** What a channel can do. Plans ask this, and never which channel it is. */
export interface ChannelAbilities {
  /** Takes a command back that the device has not taken. */
  readonly withdraw: boolean;
  /** The device's open request carries the next command out at once. */
  readonly longPoll: boolean;
  /** Devices enroll here with Odette's codes, and Odette renews their identities. */
  readonly enroll: boolean;
  /** Okta Verify's licenses are Odette's to assign and to take back. */
  readonly license: boolean;
  /** It tells by itself what a device says; one that does not is asked. */
  readonly tell: boolean;
}

export const CHANNEL_ABILITIES: Readonly<Record<ChannelKind, ChannelAbilities>> = {
  built_in: { withdraw: true, longPoll: true, enroll: true, license: true, tell: true },
  nanomdm: { withdraw: false, longPoll: false, enroll: false, license: true, tell: true },
  fleet: { withdraw: false, longPoll: false, enroll: false, license: true, tell: false },
};

/** A device as its channel knows it. */
export interface ChannelDevice {
  readonly id: string;
  readonly udid: string;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrollmentId: string;
  /** A request of it waits, or its last contact was a moment ago, by the database's clock. */
  readonly wasInContactNow: boolean;
  /** It asks for its next command by itself: a request of it waits, or it was handed a command a moment ago. */
  readonly isInConversation: boolean;
  readonly channelKind: ChannelKind;
  /** null: Odette's own MDM server. */
  readonly channelId: string | null;
  /** What it is woken with; null on a channel that wakes it by itself. */
  readonly topic: string | null;
  readonly pushToken: Uint8Array | null;
  readonly pushMagic: string | null;
}

/** It is enrolled as it was then, and would take a command within moments. */
export const isAwakeNow = (device: ChannelDevice, enrollmentId: string): boolean =>
  device.enrollmentId === enrollmentId && isEnrolled(device.enrollmentStatus) && device.wasInContactNow;

export interface ChannelCommand {
  readonly uuid: string;
  /** The whole command, CommandUUID and Command. */
  readonly plist: Uint8Array;
}

export type Enqueued =
  | { readonly kind: 'queued' }
  /** The channel has had a command of this UUID before: nothing was done. */
  | { readonly kind: 'known' }
  /** The channel has said so: it does not have the command. */
  | { readonly kind: 'refused'; readonly failureCode: FailureCode };

/** too_late: the device has it, or has carried it out. cannot: once a channel has taken a command, the device gets it. */
type Withdrawal = 'withdrawn' | 'too_late' | 'cannot';

export interface DeviceChannel {
  readonly can: ChannelAbilities;
  /**
   * Idempotent by UUID; its row of `commands` is there before. Absent: that table is the queue.
   * @throws CataloguedError when nobody knows whether the channel has it
   */
  enqueue?(device: ChannelDevice, command: ChannelCommand): Promise<Enqueued>;
  withdraw(uuid: string): Promise<Withdrawal>;
  /** Its own channel, or its user's. Says why it could not be woken; null: it was, or needed not be. */
  wake(device: ChannelDevice, whom: 'device' | 'user'): Promise<FailureCode | null>;
  /** It can be expected to take a command of this enrollment within moments. */
  isAwake(device: ChannelDevice, enrollmentId: string): boolean;
}

/** One that is not does more when it is carried out twice: what became of it is looked up on the device, and never asked for again. */
export const isRepeatable = (requestType: string): boolean => requestType !== 'InstallApplication';

const MINUTE_MS = 60_000;
/** A device that was offered a command carries it out within it; a large list or profile takes the longest. Doubles each time. */
export const RESPONSE_WITHIN_MS = 45_000;
/** Of a device that is not in contact at all: the channel may have lost what it said. Doubles each time. */
const UNHEARD_FOR_MS = 30 * MINUTE_MS;
export const MAX_PAUSE_MS = 24 * 60 * MINUTE_MS;

/**
 * Whether the response to a command that a channel with its own queue has taken was lost, or the command itself: its turn came, and the
 * device had time. How often the device calls meanwhile says nothing. One that has not called since may sleep, and keeps the command. Both
 * are asked again at growing intervals.
 * Times in milliseconds since the epoch; `offeredAtMs`: its turn came, null: the device was not in contact since; `handOvers` counts from 1.
 */
export function isResponseOverdue(
  command: {
    readonly handedOverAtMs: number;
    readonly handOvers: number;
    readonly offeredAtMs: number | null;
  },
  nowMs: number,
): boolean {
  const { handedOverAtMs, handOvers, offeredAtMs } = command;
  const first = offeredAtMs === null ? UNHEARD_FOR_MS : RESPONSE_WITHIN_MS;
  return nowMs - (offeredAtMs ?? handedOverAtMs) >= Math.min(first * 2 ** (handOvers - 1), MAX_PAUSE_MS);
}

// How a command reaches a device and its response comes back: the port behind which Odette's own MDM server stands, and any other.
// What comes back (enrolled, checked out, idle, responded) is recorded in one place, api/mdm/record-report.ts, whatever channel it came by.
import type { EnrollmentStatus } from './device.ts';
import type { FailureCode } from './failures.ts';

export type ChannelKind = 'built_in';

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
}

export const CHANNEL_ABILITIES: Readonly<Record<ChannelKind, ChannelAbilities>> = {
  built_in: { withdraw: true, longPoll: true, enroll: true, license: true },
};

/** A device as its channel knows it. */
export interface ChannelDevice {
  readonly id: string;
  readonly udid: string;
  readonly enrollmentStatus: EnrollmentStatus;
  readonly enrollmentId: string;
  /** A request of it waits, or its last contact was a moment ago, by the database's clock. */
  readonly wasHeardNow: boolean;
  readonly channelKind: ChannelKind;
  /** What it is woken with; null on a channel that wakes it by itself. */
  readonly topic: string | null;
  readonly pushToken: Uint8Array | null;
  readonly pushMagic: string | null;
}

interface ChannelCommand {
  readonly uuid: string;
  readonly requestType: string;
  /** The whole command, CommandUUID and Command. */
  readonly plist: Uint8Array;
  /** It carries a challenge: to be handed over at most once, where the channel can see to that. */
  readonly once?: boolean;
}

type Enqueued =
  | { readonly kind: 'queued' }
  /** The channel has had a command of this UUID before: nothing was done. */
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly failureCode: FailureCode };

/** too_late: the device has it, or has carried it out. cannot: once a channel has taken a command, the device gets it. */
type Withdrawal = 'withdrawn' | 'too_late' | 'cannot';

export interface DeviceChannel {
  readonly can: ChannelAbilities;
  /** Idempotent by UUID; its row of `commands` is there before, and counts as handed over afterwards. Absent: that table is the queue. */
  enqueue?(device: ChannelDevice, command: ChannelCommand): Promise<Enqueued>;
  withdraw(uuid: string): Promise<Withdrawal>;
  /** Its own channel, or its user's. Says why it could not be woken; null: it was, or needed not be. */
  wake(device: ChannelDevice, whom: 'device' | 'user'): Promise<FailureCode | null>;
  /** It can be expected to take a command of this enrollment within moments. */
  isAwake(device: ChannelDevice, enrollmentId: string): boolean;
}

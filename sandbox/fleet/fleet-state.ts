// What a pretend Fleet server keeps: its authority, hosts, the queue of each, what they answered, and what it is ordered to do wrong.
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';

export interface FleetHostState {
  readonly id: number;
  readonly udid: string;
  readonly platform: 'darwin' | 'ios' | 'ipados';
  readonly model: string;
  readonly serial: string;
  name: string;
  osVersion: string;
  labels: string[];
  enrollmentStatus: 'On (manual)' | 'Off';
  /** SHA-256 of the identity that signs its messages, base64. */
  identity: string;
  topic: string;
  /** Hexadecimal; '': it has not said. */
  pushToken: string;
  pushMagic: string;
  enrolledAt: string;
  checkedInAt: string;
}

export interface FleetCommandState {
  readonly uuid: string;
  readonly requestType: string;
  /** As it was given, base64. */
  readonly raw: string;
  readonly udid: string;
  /** False once its host enrolled anew: it is never offered again. */
  isActive: boolean;
  /** Of the newest answer; '': none. */
  status: '' | 'Acknowledged' | 'Error' | 'CommandFormatError' | 'NotNow';
  /** The device's message, base64. */
  result: string;
  /** When that came, milliseconds since 1970 by this machine's clock. */
  answeredAt: number;
}

interface FleetProfileState {
  readonly uuid: string;
  readonly name: string;
  readonly teamId: number | null;
  /** Base64. */
  readonly content: string;
}

export const FleetKnobsShape = z.strictObject({
  /** As if its process had ended: every connection breaks, Odette's and the devices'. */
  isDown: z.boolean(),
  /** So many requests to the API get 503. */
  unavailable: z.number().int().nonnegative(),
  /** So many requests to the API get 429 with Retry-After. */
  rateLimited: z.number().int().nonnegative(),
  retryAfterSeconds: z.number().int().nonnegative(),
  /** So many commands are queued, and the response to the request is lost. */
  losesResponses: z.number().int().nonnegative(),
  /** So many commands are answered with success and forgotten. */
  losesCommands: z.number().int().nonnegative(),
  /** Answers of devices are shown so much later. */
  lateSeconds: z.number().nonnegative(),
  /** Apple's push service is not asked: devices come by themselves. */
  losesPushes: z.boolean(),
  isAppleMdmOn: z.boolean(),
  tier: z.enum(['free', 'premium']),
  oktaConditionalAccess: z.boolean(),
  /** Labels of every host that enrolls from now on. */
  newHostLabels: z.array(z.string()),
});

export interface FleetState {
  readonly authority: { readonly certificate: string; readonly privateKey: string };
  readonly topic: string;
  /** In every enrollment profile, as Fleet's. */
  readonly challenge: string;
  tokens: { readonly token: string; readonly role: string }[];
  hosts: FleetHostState[];
  commands: FleetCommandState[];
  profiles: FleetProfileState[];
  knobs: z.infer<typeof FleetKnobsShape>;
  counts: Record<string, number>;
}

export const newFleetState = (authority: FleetState['authority']): FleetState => ({
  authority,
  topic: `com.apple.mgmt.External.${randomUUID()}`,
  challenge: randomBytes(16).toString('hex'),
  tokens: [{ token: randomBytes(32).toString('base64'), role: 'admin' }],
  hosts: [],
  commands: [],
  profiles: [],
  knobs: {
    isDown: false,
    unavailable: 0,
    rateLimited: 0,
    retryAfterSeconds: 1,
    losesResponses: 0,
    losesCommands: 0,
    lateSeconds: 0,
    losesPushes: false,
    isAppleMdmOn: true,
    tier: 'free',
    oktaConditionalAccess: false,
    newHostLabels: [],
  },
  counts: {},
});

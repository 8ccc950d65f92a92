// What the management port takes: one shape a request. Unknown fields are refused, so that a misspelled knob never passes.
import { z } from 'zod';
import { DEVICE_FAMILIES } from '../../domain/device.ts';

const nonNegative = z.number().nonnegative();
const times = z.number().int().nonnegative();

const ErrorLinkShape = z.strictObject({
  ErrorCode: z.number().int(),
  ErrorDomain: z.string(),
  LocalizedDescription: z.string().default('Ordered by the sandbox.'),
  USEnglishDescription: z.string().default('Ordered by the sandbox.'),
});

const KnobsShape = z.strictObject({
  notNow: z
    .strictObject({ times, requestTypes: z.array(z.string()).optional() })
    .nullable()
    .optional(),
  breaks: z
    .array(
      z.strictObject({
        requestType: z.string(),
        times: times.default(1),
        status: z.enum(['Error', 'CommandFormatError']).default('Error'),
        profile: z.string().min(1).exactOptional(),
        rejectionReason: z.string().min(1).exactOptional(),
        errorChain: z.array(ErrorLinkShape).default([
          {
            // A malformed profile: no retry helps.
            ErrorCode: 1000,
            ErrorDomain: 'MCProfileErrorDomain',
            LocalizedDescription: 'Ordered by the sandbox.',
            USEnglishDescription: 'Ordered by the sandbox.',
          },
        ]),
      }),
    )
    .optional(),
  commandMs: nonNegative.optional(),
  respondsTwice: z.boolean().optional(),
  downloadSeconds: nonNegative.optional(),
  downloadFails: z.boolean().optional(),
  promptAnswer: z.enum(['accept', 'refuse', 'wait']).optional(),
  promptSeconds: nonNegative.optional(),
  scepSigner: z.enum(['own', 'request']).optional(),
  losesCertificates: z.boolean().optional(),
  losesOldOnFailedReplace: z.boolean().optional(),
  signInSeconds: nonNegative.optional(),
  notNowSeconds: nonNegative.optional(),
  escrowsBootstrapToken: z.boolean().optional(),
  speaksForUsers: z.boolean().optional(),
  userSession: z.enum(['open', 'locked', 'logged_out']).optional(),
});
export type KnobsChange = z.infer<typeof KnobsShape>;

const UserShape = z.strictObject({
  login: z.string().min(1).optional(),
  signsIn: z.enum(['auto', 'manual']).optional(),
});
const Signature = z.enum(['attributes-sha256', 'no-attributes-sha1']);

export const NewDeviceShape = z.strictObject({
  family: z.enum(DEVICE_FAMILIES),
  name: z.string().optional(),
  user: UserShape.optional(),
  isSupervised: z.boolean().optional(),
  signature: Signature.optional(),
  hardware: z
    .strictObject({
      udid: z.string(),
      serialNumber: z.string(),
      productName: z.string(),
      modelName: z.string(),
      deviceName: z.string(),
      osVersion: z.string(),
      buildVersion: z.string(),
    })
    .partial()
    .optional(),
  knobs: KnobsShape.optional(),
});

export const DeviceChangeShape = z.strictObject({
  user: UserShape.optional(),
  isSupervised: z.boolean().optional(),
  signature: Signature.optional(),
  knobs: KnobsShape.optional(),
});

export const EnrollShape = z.strictObject({
  url: z.url(),
  code: z.string().min(1),
  /** Wipes the device first. */
  erase: z.boolean().default(false),
});
export const PowerShape = z.strictObject({ forSeconds: nonNegative.optional() });
export const SignInShape = z.strictObject({ tenant: z.string().optional() });
export const AppShape = z.strictObject({ source: z.enum(['appStore', 'package']).default('appStore') });
export const PromptShape = z.strictObject({ response: z.enum(['accept', 'refuse']) });
export const TokenShape = z.strictObject({ isNew: z.boolean().default(false) });

export const ClockShape = z.union([
  z.strictObject({ advanceSeconds: z.number() }),
  z.strictObject({ to: z.iso.datetime() }),
]);
export const HoldShape = z.strictObject({
  message: z.string().min(1),
  phase: z.enum(['before', 'after']),
  device: z.string().optional(),
  times: z.number().int().positive().optional(),
});
export const PushShape = z.strictObject({
  refuse: z
    .strictObject({ reason: z.string(), times: times.default(1), device: z.string().optional() })
    .nullable()
    .optional(),
  isLosing: z.boolean().optional(),
  delayMs: nonNegative.optional(),
  perSecond: z.number().int().positive().optional(),
});

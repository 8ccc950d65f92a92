// What the body of each signal and update must be. Who holds the key can still seal the wrong thing by hand (`odette temporal seal`), and a
// handler that throws on it fails its workflow task again and again: so a wrong body is ignored before any handler sees it.
import { isSetupAnswer } from '../domain/setup-answer.ts';
import { COMMAND_STATUSES } from './messages.ts';

type Check = (value: unknown) => boolean;

/** Longer than anything that Odette sends: ids, codes, times. They are carried through continue-as-new. */
const MAX_ID_LENGTH = 200;
/** A reason that a person gave. */
const MAX_TEXT_LENGTH = 4_000;

const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max;
const id: Check = (value) => text(MAX_ID_LENGTH)(value) && value !== '';
const time: Check = (value) => id(value) && !Number.isNaN(Date.parse(String(value)));
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const event = { eventId: id };

/** A step has a dozen commands at most. */
const MAX_RESPONSES = 100;
const RESPONSE: Readonly<Record<string, Check>> = {
  commandUuid: id,
  step: id,
  status: (value) => (COMMAND_STATUSES as readonly unknown[]).includes(value),
  failureCode: optional(id),
};
const isResponse: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(RESPONSE).every(([field, check]) => check((value as Record<string, unknown>)[field]));

/** By the message's wire name; of a body every field must pass. Fields that nobody knows are left alone: a newer release may send them. */
export const MESSAGE_BODIES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  commandsResponded: {
    ...event,
    responses: (value) => Array.isArray(value) && value.length <= MAX_RESPONSES && value.every(isResponse),
  },
  desiredStateChanged: {
    ...event,
    reason: optional(text(MAX_TEXT_LENGTH)),
    asksUserAgain: optional((value) => typeof value === 'boolean'),
  },
  deviceAuthenticated: event,
  deviceEnrolled: event,
  deviceCheckedOut: event,
  certificateWanted: { ...event, integrationId: id },
  certificateNotNeeded: event,
  renewNow: { ...event, reason: optional(text(MAX_TEXT_LENGTH)) },
  certificateProven: { ...event, deliveryId: text(MAX_ID_LENGTH), notAfter: time },
  certificateFailed: { ...event, failureCode: id },
  certificateRemoved: event,
  fleetRolloutSteered: event,
  rotationSteered: event,
  oktaLooksWanted: event,
  removalChanged: event,
  answerStep: { answer: isSetupAnswer },
};

/** The fields of a body that are wrong; of a message that has no row: `body`. */
export function wrongFields(name: string, body: unknown): readonly string[] {
  const checks = Object.hasOwn(MESSAGE_BODIES, name) ? MESSAGE_BODIES[name] : undefined;
  if (checks === undefined || typeof body !== 'object' || body === null || Array.isArray(body))
    return ['body'];
  const fields = body as Readonly<Record<string, unknown>>;
  return Object.entries(checks).flatMap(([field, check]) => (check(fields[field]) ? [] : [field]));
}

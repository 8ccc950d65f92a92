// Talks to the MDM server: signs each message, PUTs it, carries out what comes back until the answer is empty.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { buildPlist, isDict, parsePlistDict } from '../../adapters/mdm/plist.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import { advanceApps } from './apps.ts';
import { carryOut } from './commands.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { MdmEnrollment } from './device-state.ts';
import { identityOf } from './keychain.ts';
import type { NetworkAnswer } from './network.ts';
import { textOf } from './profiles.ts';

const CHECK_IN = 'application/x-apple-aspen-mdm-checkin';
const REPORT = 'application/x-apple-aspen-mdm';
const KEPT_LOG = 200;
/** Waits between attempts to reach the server, milliseconds; the last one repeats. */
const BACK_OFF = [250, 500, 1000, 2000, 4000, 8000, 15_000];

/** The device has to leave: told so (401, or 403 with `com.apple.unrecognized.device`), or its MDM profile was removed. */
export class Dismissed extends Error {}

interface Message {
  readonly name: string;
  readonly status?: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** One signed PUT. Held before it leaves, and again before its answer is read. */
async function put(
  context: DeviceContext,
  enrollment: MdmEnrollment,
  message: Message,
): Promise<NetworkAnswer> {
  const { state } = context;
  const item = state.keychain.find((one) => one.id === enrollment.identity);
  if (!item) throw new Dismissed('the profile with the identity was removed');
  await context.holds.pass(`device.${message.name}`, 'before', state.name);
  const url = message.contentType === CHECK_IN ? enrollment.checkInUrl : enrollment.serverUrl;
  const headers: Record<string, string> = {
    'Content-Type': message.contentType,
    'User-Agent': state.family === 'Mac' ? 'MDM-OSX/1.0 mdmclient/1750' : 'MDM/1.0',
  };
  if (enrollment.signsMessages)
    headers['Mdm-Signature'] = signDetached(message.body, identityOf(item), state.signature).toString(
      'base64',
    );
  const answer = await context.network.request(url, { method: 'PUT', headers, body: message.body });
  await context.holds.pass(`device.${message.name}`, 'after', state.name);
  log(context, message, answer.status);
  if (
    answer.status === 401 ||
    (answer.status === 403 && answer.body.includes('com.apple.unrecognized.device'))
  )
    throw new Dismissed(`the server answered ${answer.status}`);
  return answer;
}

function log(context: DeviceContext, message: Message, http: number): void {
  const at = context.clock.now().toISOString();
  context.state.log.push({
    at,
    message: message.name,
    ...(message.status && { status: message.status }),
    http,
  });
  context.state.log.splice(0, context.state.log.length - KEPT_LOG);
  count(context, 'messages');
}

/** Authenticate, TokenUpdate or CheckOut. @throws Error when the server does not take it. */
export async function checkIn(
  context: DeviceContext,
  enrollment: MdmEnrollment,
  dict: PlistDict,
): Promise<void> {
  const name = textOf(dict, 'MessageType');
  const answer = await put(context, enrollment, { name, contentType: CHECK_IN, body: buildPlist(dict) });
  if (answer.status !== 200) throw new Error(`${name}: the server answered ${answer.status}`);
}

export interface Conversation {
  /** False once the device sleeps, is switched off, or has left. */
  isAwake(): boolean;
  /** Resolves early when a push asks for another attempt. */
  pause(ms: number): Promise<void>;
}

/**
 * From Idle to the empty answer. An answer that the server could not take is kept and sent again, also after a restart.
 * Ends, without an error, when the device goes to sleep.
 */
export async function converse(context: DeviceContext, conversation: Conversation): Promise<void> {
  let failures = 0;
  let next: Message | undefined = unsentAnswer(context) ?? idle(context);
  while (next && conversation.isAwake()) {
    const enrollment = context.state.enrollment;
    if (!enrollment) return;
    let answer: NetworkAnswer;
    try {
      answer = await put(context, enrollment, next);
    } catch (error) {
      if (error instanceof Dismissed) throw error;
      answer = { status: 0, headers: {}, body: Buffer.alloc(0) };
    }
    if (answer.status !== 200) {
      count(context, answer.status === 0 ? 'unreachable' : `refused.${answer.status}`);
      await conversation.pause(BACK_OFF[Math.min(failures, BACK_OFF.length - 1)] ?? 0);
      failures += 1;
      continue;
    }
    failures = 0;
    if (context.state.knobs.answersTwice && next.name !== 'Idle')
      await put(context, enrollment, next).catch(() => undefined);
    delete context.state.unsent;
    if (advanceApps(context)) await context.save();
    next = answer.body.length === 0 ? undefined : await obey(context, answer.body);
  }
  if (conversation.isAwake()) await context.save();
}

/** Carries out one command; its answer is on disk before it is sent. */
async function obey(context: DeviceContext, body: Buffer): Promise<Message | undefined> {
  let envelope: PlistDict;
  try {
    envelope = parsePlistDict(body);
  } catch {
    count(context, 'unreadableCommands');
    return undefined;
  }
  const command = envelope['Command'];
  if (!isDict(command)) {
    count(context, 'unreadableCommands');
    return undefined;
  }
  const requestType = textOf(command, 'RequestType');
  const { status, keys } = await carryOut(context, command);
  count(context, `answered.${status}`);
  const { udid } = context.state.hardware;
  const answer = buildPlist({
    CommandUUID: textOf(envelope, 'CommandUUID'),
    Status: status,
    UDID: udid,
    ...keys,
  });
  context.state.unsent = { requestType, status, body: answer.toString('base64') };
  await context.save();
  return { name: requestType, status, contentType: REPORT, body: answer };
}

const idle = (context: DeviceContext): Message => ({
  name: 'Idle',
  status: 'Idle',
  contentType: REPORT,
  body: buildPlist({ Status: 'Idle', UDID: context.state.hardware.udid }),
});

function unsentAnswer(context: DeviceContext): Message | undefined {
  const { unsent } = context.state;
  if (!unsent) return undefined;
  const body = Buffer.from(unsent.body, 'base64');
  return { name: unsent.requestType, status: unsent.status, contentType: REPORT, body };
}

/** A pause that a push can end. */
export function interruptible(): { pause(ms: number): Promise<void>; interrupt(): void } {
  let current: AbortController | undefined;
  return {
    async pause(ms) {
      current = new AbortController();
      await sleep(ms, undefined, { signal: current.signal, ref: false }).catch(() => undefined);
    },
    interrupt: () => current?.abort(),
  };
}

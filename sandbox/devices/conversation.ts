// Talks to the MDM server: signs each message, PUTs it, carries out what comes back until the response is empty.
import { setTimeout as sleep } from 'node:timers/promises';
import { readCommand } from '../../adapters/mdm/command.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { advanceApps } from './apps.ts';
import { carryOut } from './commands.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { Message } from './messages.ts';
import { Dismissed, REPORT, put } from './messages.ts';
import type { NetworkResponse } from './network.ts';

/** Waits between attempts to reach the server, milliseconds; the last one repeats. */
const BACK_OFF = [250, 500, 1000, 2000, 4000, 8000, 15_000];

export interface Conversation {
  /** False once the device sleeps, is switched off, or has left. */
  isAwake(): boolean;
  /** Resolves early when a push asks for another attempt. */
  pause(ms: number): Promise<void>;
}

/**
 * From Idle to the empty response. A response that the server could not take is kept and sent again, also after a restart.
 * Ends, without an error, when the device goes to sleep.
 */
export async function converse(context: DeviceContext, conversation: Conversation): Promise<void> {
  let failures = 0;
  let next: Message | undefined = unsentResponse(context) ?? idle(context);
  while (next && conversation.isAwake()) {
    const enrollment = context.state.enrollment;
    if (!enrollment) return;
    let response: NetworkResponse;
    try {
      response = await put(context, enrollment, next);
    } catch (error) {
      if (error instanceof Dismissed) throw error;
      response = { status: 0, headers: {}, body: Buffer.alloc(0) };
    }
    if (response.status !== 200) {
      count(context, response.status === 0 ? 'unreachable' : `refused.${response.status}`);
      await conversation.pause(BACK_OFF[Math.min(failures, BACK_OFF.length - 1)] ?? 0);
      failures += 1;
      continue;
    }
    failures = 0;
    if (context.state.knobs.respondsTwice && next.name !== 'Idle') {
      const again = await put(context, enrollment, next).catch(() => undefined);
      if (again?.status === 200 && response.body.length === 0) response = again;
    }
    delete context.state.unsent;
    if (advanceApps(context)) await context.save();
    next = response.body.length === 0 ? undefined : await obey(context, response.body);
  }
  if (conversation.isAwake()) await context.save();
}

/** Carries out one command; its response is on disk before it is sent. */
async function obey(context: DeviceContext, body: Buffer): Promise<Message | undefined> {
  let command: ReturnType<typeof readCommand>;
  try {
    command = readCommand(body);
  } catch {
    count(context, 'unreadableCommands');
    return undefined;
  }
  const { commandUuid, requestType, request } = command;
  const { status, keys } = await carryOut(context, request);
  count(context, `responded.${status}`);
  const { udid } = context.state.hardware;
  const response = buildPlist({
    CommandUUID: commandUuid,
    Status: status,
    UDID: udid,
    ...keys,
  });
  context.state.unsent = { requestType, status, body: response.toString('base64') };
  await context.save();
  return { name: requestType, status, contentType: REPORT, body: response };
}

const idle = (context: DeviceContext): Message => ({
  name: 'Idle',
  status: 'Idle',
  contentType: REPORT,
  body: buildPlist({ Status: 'Idle', UDID: context.state.hardware.udid }),
});

function unsentResponse(context: DeviceContext): Message | undefined {
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

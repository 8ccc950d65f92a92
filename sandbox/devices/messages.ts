// One signed message to the MDM server: held, sent, written down.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlistDict } from '../../adapters/mdm/plist.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { signDetached } from '../../adapters/pki/cms.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { MdmEnrollment } from './device-state.ts';
import { identityOf } from './keychain.ts';
import type { NetworkResponse } from './network.ts';
import { textOf } from './profiles.ts';

const CHECK_IN = 'application/x-apple-aspen-mdm-checkin';
export const REPORT = 'application/x-apple-aspen-mdm';
const KEPT_LOG = 200;

/** The device has to leave: told so (401, or 403 with `com.apple.unrecognized.device`), or its MDM profile was removed. */
export class Dismissed extends Error {}

export interface Message {
  readonly name: string;
  readonly status?: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** One signed PUT. Held before it leaves, and again before its response is read. */
export async function put(
  context: DeviceContext,
  enrollment: MdmEnrollment,
  message: Message,
): Promise<NetworkResponse> {
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
  const response = await context.network.request(url, { method: 'PUT', headers, body: message.body });
  await context.holds.pass(`device.${message.name}`, 'after', state.name);
  log(context, message, response.status);
  if (
    response.status === 401 ||
    (response.status === 403 && response.body.includes('com.apple.unrecognized.device'))
  )
    throw new Dismissed(`the server responded ${response.status}`);
  return response;
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

/** Waits before a check-in is tried again, milliseconds. */
const PATIENCE = [250, 500, 1000, 2000, 4000, 8000, 15_000];

/** Authenticate or TokenUpdate, tried again while the server is away. @throws Error when it does not take the message. */
export async function checkIn(
  context: DeviceContext,
  enrollment: MdmEnrollment,
  dict: PlistDict,
): Promise<void> {
  for (const waitMs of [...PATIENCE, undefined]) {
    const status = await checkInOnce(context, enrollment, dict);
    if (status === 200) return;
    if ((status !== 0 && status < 500) || waitMs === undefined)
      throw new Error(`${textOf(dict, 'MessageType')}: the server responded ${status || 'nothing'}`);
    await sleep(waitMs);
  }
}

/** One message whose response has a body. @throws Error when the server cannot be reached */
export const ask = (
  context: DeviceContext,
  enrollment: MdmEnrollment,
  dict: PlistDict,
  name = textOf(dict, 'MessageType'),
): Promise<NetworkResponse> =>
  put(context, enrollment, { name, contentType: CHECK_IN, body: buildPlist(dict) });

/** One attempt; 0 stands for a server that could not be reached. */
export async function checkInOnce(
  context: DeviceContext,
  enrollment: MdmEnrollment,
  dict: PlistDict,
): Promise<number> {
  const name = textOf(dict, 'MessageType');
  try {
    return (await put(context, enrollment, { name, contentType: CHECK_IN, body: buildPlist(dict) })).status;
  } catch (error) {
    if (error instanceof Dismissed) throw error;
    return 0;
  }
}

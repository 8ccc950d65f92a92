// What only Macs say to their server, as far as it offers to listen (ServerCapabilities): bootstrap tokens. Users: user-session.ts.
import { randomBytes } from 'node:crypto';
import { parsePlistDict } from '../../adapters/mdm/plist.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { MdmEnrollment } from './device-state.ts';
import { ask } from './messages.ts';

export const PER_USER = 'com.apple.mdm.per-user-connections';
const BOOTSTRAP_TOKEN = 'com.apple.mdm.bootstraptoken';

export async function escrowBootstrapToken(context: DeviceContext, enrollment: MdmEnrollment): Promise<void> {
  const { knobs, hardware } = context.state;
  if (!knobs.escrowsBootstrapToken || !enrollment.serverCapabilities.includes(BOOTSTRAP_TOKEN)) return;
  const token = randomBytes(32);
  const message = { MessageType: 'SetBootstrapToken', UDID: hardware.udid, BootstrapToken: token };
  const response = await ask(context, enrollment, message);
  if (response.status !== 200) return count(context, 'bootstrapTokensRefused');
  enrollment.bootstrapToken = token.toString('base64');
  count(context, 'bootstrapTokensEscrowed');
  await getBootstrapToken(context, enrollment);
}

/** As before a software update. */
export async function getBootstrapToken(context: DeviceContext, enrollment: MdmEnrollment): Promise<void> {
  if (enrollment.bootstrapToken === undefined) return;
  const message = { MessageType: 'GetBootstrapToken', UDID: context.state.hardware.udid };
  const { status, body } = await ask(context, enrollment, message);
  const token = status === 200 && body.length > 0 ? parsePlistDict(body)['BootstrapToken'] : undefined;
  const isSame =
    token instanceof Uint8Array && Buffer.from(token).toString('base64') === enrollment.bootstrapToken;
  count(context, isSame ? 'bootstrapTokensReturned' : 'bootstrapTokensLost');
}

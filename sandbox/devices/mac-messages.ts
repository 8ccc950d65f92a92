// What only Macs say to their server, as far as it offers to listen (ServerCapabilities): bootstrap tokens, and messages of users.
import { createHash, randomBytes } from 'node:crypto';
import { buildPlist, parsePlistDict, type PlistDict } from '../../adapters/mdm/plist.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { MdmEnrollment } from './device-state.ts';
import { ask, put, REPORT } from './messages.ts';

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
  await askBootstrapTokenBack(context, enrollment);
}

/** As before a software update. */
export async function askBootstrapTokenBack(
  context: DeviceContext,
  enrollment: MdmEnrollment,
): Promise<void> {
  if (enrollment.bootstrapToken === undefined) return;
  const message = { MessageType: 'GetBootstrapToken', UDID: context.state.hardware.udid };
  const { status, body } = await ask(context, enrollment, message);
  const token = status === 200 && body.length > 0 ? parsePlistDict(body)['BootstrapToken'] : undefined;
  const isSame =
    token instanceof Uint8Array && Buffer.from(token).toString('base64') === enrollment.bootstrapToken;
  count(context, isSame ? 'bootstrapTokensReturned' : 'bootstrapTokensLost');
}

/** A directory user asks to sign in; the local user's session names its push token and asks for commands. */
export async function speakForUsers(context: DeviceContext, enrollment: MdmEnrollment): Promise<void> {
  const { knobs, hardware, user } = context.state;
  if (!knobs.speaksForUsers || !enrollment.serverCapabilities.includes(PER_USER)) return;
  const [name = 'user'] = user.login.split('@');
  const of = (kind: string): PlistDict => ({
    UDID: hardware.udid,
    UserID: userIdOf(`${hardware.udid}/${kind}/${name}`),
    UserShortName: name,
    UserLongName: name,
  });
  const asked = await ask(context, enrollment, { MessageType: 'UserAuthenticate', ...of('directory') });
  count(context, asked.status === 410 ? 'directoryUsersDeclined' : 'directoryUsersAnswered');
  const token: PlistDict = {
    MessageType: 'TokenUpdate',
    Topic: enrollment.topic,
    Token: randomBytes(32),
    PushMagic: userIdOf(enrollment.pushMagic),
    NotOnConsole: false,
    ...of('local'),
  };
  const named = await ask(context, enrollment, token, 'UserTokenUpdate');
  const body = buildPlist({ Status: 'Idle', ...of('local') });
  const idle = await put(context, enrollment, {
    name: 'UserIdle',
    status: 'Idle',
    contentType: REPORT,
    body,
  });
  count(context, named.status === 200 && idle.status === 200 ? 'usersServed' : 'usersRefused');
}

/** GeneratedUID of a user: the same for the same name. */
function userIdOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

// The session of a Mac's user: a channel of their own to the MDM server, with their profiles and their login keychain.
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCommand } from '../../adapters/mdm/command.ts';
import { buildPlist, type PlistDict } from '../../adapters/mdm/plist.ts';
import { carryOut } from './commands.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { MdmEnrollment, UserChannel } from './device-state.ts';
import { PER_USER } from './mac-messages.ts';
import { ask, put, REPORT, type Message } from './messages.ts';
import type { NetworkResponse } from './network.ts';

/** Waits between attempts to reach the server, milliseconds; the last one repeats. */
const BACK_OFF = [250, 500, 1000, 2000, 4000, 8000];

export class UserSession {
  readonly #context: DeviceContext;
  readonly #isAwake: () => boolean;
  #isTalking = false;
  #isAskedAgain = false;

  constructor(context: DeviceContext, isAwake: () => boolean) {
    this.#context = context;
    this.#isAwake = isAwake;
  }

  /** Whether a push for this user arrives now. */
  get isReachable(): boolean {
    return this.#isAwake() && this.#context.state.knobs.userSession !== 'logged_out';
  }

  /** Starts a conversation, or asks the running one to be followed by another. A channel is opened at the first login. */
  connect(): void {
    const { enrollment, knobs } = this.#context.state;
    const isOffered = enrollment?.serverCapabilities.includes(PER_USER) === true && knobs.speaksForUsers;
    if (!isOffered || !this.isReachable) return;
    this.#isAskedAgain = true;
    if (!this.#isTalking) void this.#talk();
  }

  async #talk(): Promise<void> {
    this.#isTalking = true;
    try {
      while (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        await this.#converse();
      }
    } catch {
      count(this.#context, 'userConversationsBroken');
    } finally {
      this.#isTalking = false;
      await this.#context.save();
    }
  }

  async #converse(): Promise<void> {
    const { state } = this.#context;
    const { enrollment } = state;
    if (!enrollment) return;
    const user = enrollment.user ?? (await openChannel(this.#context, enrollment));
    if (!user) return;
    enrollment.user = user;
    let next: Message | undefined = message(this.#context, user, 'UserIdle', 'Idle', {});
    let isNotNow = false;
    for (let failures = 0; next !== undefined && this.isReachable && state.enrollment === enrollment;) {
      const response: NetworkResponse | undefined = await put(this.#context, enrollment, next).catch(
        () => undefined,
      );
      if (response?.status !== 200) {
        await sleep(BACK_OFF[Math.min(failures, BACK_OFF.length - 1)], undefined, { ref: false });
        failures += 1;
        continue;
      }
      failures = 0;
      isNotNow = next.status === 'NotNow';
      next = response.body.length === 0 ? undefined : await this.#obey(user, response.body);
    }
    // A device asks by itself later only if NotNow was its last word.
    if (isNotNow) setTimeout(() => this.connect(), state.knobs.notNowSeconds * 1000).unref();
  }

  async #obey(user: UserChannel, body: Buffer): Promise<Message> {
    const { commandUuid, requestType, request } = readCommand(body);
    const { status, keys } = await carryOut(this.#context, request, 'User');
    count(this.#context, `user.${status}`);
    await this.#context.save();
    return message(this.#context, user, requestType, status, { CommandUUID: commandUuid, ...keys });
  }
}

function message(
  { state }: DeviceContext,
  user: UserChannel,
  name: string,
  status: string,
  keys: PlistDict,
): Message {
  const body = buildPlist({ UDID: state.hardware.udid, ...keysOf(user), Status: status, ...keys });
  return { name, status, contentType: REPORT, body };
}

const keysOf = ({ userId, shortName }: Pick<UserChannel, 'userId' | 'shortName'>): PlistDict => ({
  UserID: userId,
  UserShortName: shortName,
  UserLongName: shortName,
});

/** A directory user asks to sign in; the local user names their push token. undefined: the server does not take it. */
async function openChannel(
  context: DeviceContext,
  enrollment: MdmEnrollment,
): Promise<UserChannel | undefined> {
  const { hardware, user } = context.state;
  const [shortName = 'user'] = user.login.split('@');
  const { udid: UDID } = hardware;
  const directory = { userId: userIdOf(`${UDID}/directory/${shortName}`), shortName };
  const asked = await ask(context, enrollment, {
    MessageType: 'UserAuthenticate',
    UDID,
    ...keysOf(directory),
  });
  count(context, asked.status === 410 ? 'directoryUsersDeclined' : 'directoryUsersAnswered');
  const channel: UserChannel = {
    userId: userIdOf(`${UDID}/local/${shortName}`),
    shortName,
    pushToken: randomBytes(32).toString('hex'),
    pushMagic: userIdOf(enrollment.pushMagic),
  };
  const token: PlistDict = {
    MessageType: 'TokenUpdate',
    Topic: enrollment.topic,
    UDID,
    ...keysOf(channel),
    Token: Buffer.from(channel.pushToken, 'hex'),
    PushMagic: channel.pushMagic,
    NotOnConsole: false,
  };
  const named = await ask(context, enrollment, token, 'UserTokenUpdate');
  count(context, named.status === 200 ? 'usersServed' : 'usersRefused');
  return named.status === 200 ? channel : undefined;
}

/** GeneratedUID of a user: the same for the same name. */
function userIdOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

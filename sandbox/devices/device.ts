// A pretend Mac, iPhone or iPad: wakes on push, talks to its server one conversation at a time, lets its user sign in.
import type { PushTarget } from '../apns/push-service.ts';
import { advanceApps, answerPrompt, deleteRegistration } from './apps.ts';
import { converse, interruptible } from './conversation.ts';
import type { DeviceContext } from './device-context.ts';
import { count } from './device-context.ts';
import type { AppSource, DeviceState, SignIn } from './device-state.ts';
import type { EnrollmentOrder } from './enrollment.ts';
import { checkOut, enroll, erase, leave, updateToken } from './enrollment.ts';
import type { SignInOrder } from './fast-pass.ts';
import { signIn } from './fast-pass.ts';
import { Dismissed } from './messages.ts';
import { readSetup, toShow } from './okta-verify.ts';
import { UserSession } from './user-session.ts';

/** People sign in every day. */
const SIGN_IN_AGAIN_MS = 24 * 3600 * 1000;
/** After a sign-in that failed. */
const SIGN_IN_RETRY_MS = 5000;

export class PretendDevice {
  readonly state: DeviceState;
  readonly #context: DeviceContext;
  readonly #user: UserSession;
  readonly #pause = interruptible();
  #isTalking = false;
  #isAskedAgain = false;
  #talk: Promise<void> = Promise.resolve();
  #signingIn: Promise<unknown> | undefined;
  #signInAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.state = context.state;
    this.#user = new UserSession(context, () => this.#isAwake() && this.state.family === 'Mac');
  }

  get isEnrolled(): boolean {
    return this.state.enrollment !== undefined;
  }

  /** What APNs knows of the device under this push token. */
  pushTarget(token: string): PushTarget | undefined {
    const { name, enrollment, formerTokens } = this.state;
    if (enrollment?.user?.pushToken === token) return this.#userTarget(name, enrollment.topic);
    if (enrollment?.pushToken === token)
      return {
        name,
        topic: enrollment.topic,
        isGone: false,
        deliver: (payload) => this.#receivePush(payload),
      };
    const former = formerTokens.find((one) => one.token === token);
    return former && { name, topic: former.topic, isGone: true, deliver: () => false };
  }

  #userTarget(name: string, topic: string): PushTarget {
    const deliver = (): boolean => {
      if (!this.#user.isReachable) return false;
      this.#user.connect();
      return true;
    };
    return { name, topic, isGone: false, deliver };
  }

  /** Its user logged in, or unlocked the keychain. */
  connectUser(): void {
    this.#user.connect();
  }

  /** Goes on with what a stop of the sandbox interrupted. */
  resume(): void {
    this.connectUser();
    if (this.state.unsent) this.connect();
    this.look();
  }

  async enroll(order: EnrollmentOrder, isErased = false): Promise<void> {
    await this.#untilQuiet();
    if (isErased) erase(this.state);
    await enroll(this.#context, order);
    this.connectUser();
    this.look();
  }

  /** Erase All Content and Settings, or a new installation: the server is not told. */
  async erase(): Promise<void> {
    await this.#untilQuiet();
    erase(this.state);
    this.look();
    await this.#context.save();
  }

  async checkOut(): Promise<void> {
    await this.#untilQuiet();
    await checkOut(this.#context);
  }

  async updateToken(isNew: boolean): Promise<void> {
    await this.#untilQuiet();
    await updateToken(this.#context, isNew);
  }

  async setPower(power: DeviceState['power'], wakesAt?: Date): Promise<void> {
    this.state.power = power;
    if (wakesAt) this.state.wakesAt = wakesAt.toISOString();
    else delete this.state.wakesAt;
    this.#pause.interrupt();
    if (power === 'awake' && this.state.unsent) this.connect();
    this.look();
    await this.#context.save();
  }

  /** Starts a conversation, or asks the running one to be followed by another. */
  connect(): void {
    if (this.#isClosed || !this.#isAwake() || !this.isEnrolled) return;
    if (this.#isTalking) {
      this.#isAskedAgain = true;
      this.#pause.interrupt();
      return;
    }
    this.#isTalking = true;
    this.#talk = this.#converse().finally(() => {
      this.#isTalking = false;
      if (!this.#isAskedAgain) return;
      this.#isAskedAgain = false;
      this.connect();
    });
  }

  /** The user signs in by FastPass. */
  async signIn(order: SignInOrder): Promise<SignIn> {
    await this.#signingIn;
    const signing = signIn(this.#context, order);
    this.#signingIn = signing.catch(() => undefined);
    const done = await signing;
    this.look();
    return done;
  }

  /** The user installs Okta Verify without management. */
  async installByHand(
    app: { bundleId: string; name: string; version: string },
    source: AppSource,
  ): Promise<void> {
    this.state.apps = this.state.apps.filter((one) => one.bundleId !== app.bundleId);
    this.state.apps.push({ ...app, source, managementFlags: 0 });
    this.look();
    await this.#context.save();
  }

  /** The user deletes an app; a managed one stays known as such. */
  async removeByHand(bundleId: string): Promise<void> {
    const app = this.state.apps.find((one) => one.bundleId === bundleId);
    if (app?.status === 'Managed') app.status = 'ManagedButUninstalled';
    else this.state.apps = this.state.apps.filter((one) => one !== app);
    deleteRegistration(this.state);
    await this.#context.save();
  }

  async answerPrompt(response: 'accept' | 'refuse'): Promise<boolean> {
    const hadPrompt = answerPrompt(this.#context, response);
    this.look();
    await this.#context.save();
    return hadPrompt;
  }

  /** Does what is due at this time and sleeps until the next thing is; called again whenever anything changes. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const now = this.#context.clock.now();
    const { wakesAt, apps } = this.state;
    if (wakesAt !== undefined && wakesAt <= now.toISOString()) {
      this.onWake?.();
      return;
    }
    if (this.#isAwake()) {
      if (advanceApps(this.#context)) void this.#context.save();
      this.#considerSignIn(now.getTime());
    }
    const times = [wakesAt, ...apps.map((app) => app.until)].flatMap((at) =>
      at === undefined ? [] : [Date.parse(at)],
    );
    if (this.#signInAt !== undefined) times.push(this.#signInAt);
    const lastSignIn = this.state.oktaVerify.signIns.at(-1);
    if (lastSignIn)
      times.push(Math.max(Date.parse(lastSignIn.at) + SIGN_IN_AGAIN_MS, now.getTime() + 60_000));
    if (times.length === 0) return;
    const waitMs = Math.min(Math.max(Math.min(...times) - now.getTime(), 5), 3_600_000);
    this.#timer = setTimeout(() => this.look(), waitMs);
    this.#timer.unref();
  }

  /** Set by the fleet, which also delivers the push that APNs kept. */
  onWake: (() => void) | undefined;

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#pause.interrupt();
    await this.#context.save();
  }

  #isAwake(): boolean {
    return this.state.power === 'awake' && !this.#isClosed;
  }

  async #untilQuiet(): Promise<void> {
    while (this.#isTalking) await this.#talk;
  }

  #receivePush(payload: Buffer): boolean {
    if (!this.#isAwake()) return false;
    count(this.#context, 'pushes');
    if (pushMagicOf(payload) === this.state.enrollment?.pushMagic) this.connect();
    // A push with another magic makes a device tell its own again.
    else void updateToken(this.#context, false).catch(() => undefined);
    return true;
  }

  async #converse(): Promise<void> {
    try {
      await converse(this.#context, {
        isAwake: () => this.#isAwake() && this.isEnrolled,
        pause: (ms) => this.#pause.pause(ms),
      });
      this.#retryAfterNotNow();
    } catch (error) {
      if (error instanceof Dismissed) leave(this.#context);
      count(this.#context, error instanceof Dismissed ? 'dismissed' : 'conversationsBroken');
      await this.#context.save();
    }
    this.look();
  }

  /** A device asks by itself later only if NotNow was its last word (Apple, "Handling NotNow status responses"). */
  #retryAfterNotNow(): void {
    const last = this.state.log.at(-1);
    if (last?.status !== 'NotNow') return;
    setTimeout(() => this.connect(), this.state.knobs.notNowSeconds * 1000).unref();
  }

  #considerSignIn(now: number): void {
    const { user, oktaVerify, knobs } = this.state;
    if (user.signsIn !== 'auto' || this.#signingInNow || !readSetup(this.state).launchesByItself) {
      this.#signInAt = undefined;
      return;
    }
    const last = oktaVerify.signIns.at(-1);
    const isNew = oktaVerify.lastShown !== toShow(this.state);
    const isDaily = last !== undefined && Date.parse(last.at) + SIGN_IN_AGAIN_MS <= now;
    if (!isNew && !isDaily) {
      this.#signInAt = undefined;
      return;
    }
    const waitMs = last?.result === 'failed' && isNew ? SIGN_IN_RETRY_MS : knobs.signInSeconds * 1000;
    this.#signInAt ??= now + waitMs;
    if (this.#signInAt > now) return;
    this.#signInAt = undefined;
    this.#signingInNow = true;
    void this.signIn({ how: 'automatic' }).finally(() => {
      this.#signingInNow = false;
      this.look();
    });
  }

  #signingInNow = false;
}

function pushMagicOf(payload: Buffer): string | undefined {
  try {
    return (JSON.parse(payload.toString('utf8')) as { mdm?: string }).mdm;
  } catch {
    return undefined;
  }
}

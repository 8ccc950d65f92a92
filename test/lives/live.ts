// Lives one life in a world of the sandbox, puts everything in order at its end, and waits until Odette shows what is true.
// Long, because a life is one path: what happens to it, what then is true, and how that is waited for.
import { setTimeout as pause } from 'node:timers/promises';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { workflowIds } from '../../workflows/messages.ts';
import { breakOf } from '../harness/error-cases.ts';
import type { BesideTheTest } from '../harness/time-skipping.ts';
import type { TrustedWorld } from '../harness/stage.ts';
import type { World } from '../harness/world.ts';
import type { AtWork, Work } from './at-work.ts';
import { ERRORS, type Life, type LifeEvent, type Named } from './life.ts';
import type { PretendOkta } from './pretend-okta.ts';
import { differences, type PretendState, type ShownDevice, type Standing } from './shown.ts';

export interface LivesWorld {
  readonly world: World;
  readonly trusted: TrustedWorld;
  readonly skips: BesideTheTest;
  readonly okta: PretendOkta;
  readonly work: AtWork;
}

/** A look costs the machine more than most of what it sees. */
const LOOK_MS = 1000;
/** The least that is left to a device for what it does by itself. */
const DAY_MS = 3000;
/** After so many days in which everybody did all that they had to do, nothing will change any more. */
const PATIENCE_DAYS = 8;
/** A day that does not end: nothing at all has gone on for so many looks. */
const STILL_LOOKS = 120;
const BACK_OFF_MS = 10 * 60_000;
const NO_KNOBS = { breaks: [], notNow: null, losesCertificates: false, respondsTwice: false };

let lived = 0;

export class Live {
  readonly #worlds: LivesWorld;
  readonly #life: Life;
  readonly #base = `life-${(lived += 1)}`;
  #boards = 1;
  #owners = 1;
  #name = '';
  #standing: Standing = 'left';
  #user: string | null = null;
  #wasKnown = false;
  #signedInAt = 0;
  #shownId: string | undefined;

  constructor(worlds: LivesWorld, life: Life) {
    this.#worlds = worlds;
    this.#life = life;
  }

  /** @throws Error with every difference that was still there after so many days, however long a busy machine takes for one */
  async live(): Promise<void> {
    await this.#addBoard({});
    await this.#enroll(this.#life.names, true);
    for (const { afterMs, ...event } of this.#life.events) {
      await pause(afterMs);
      await this.#happen(event);
    }
    await this.#settle();
    await this.#retire();
  }

  get #login(): string {
    return `${this.#base}-${this.#owners}@example.com`;
  }

  #manage<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return this.#worlds.world.manage<Body>(method, path, body);
  }

  #act(what: string, body: object = {}): Promise<unknown> {
    return this.#manage('POST', `/devices/${this.#name}/${what}`, body);
  }

  #change(body: object): Promise<unknown> {
    return this.#manage('PATCH', `/devices/${this.#name}`, body);
  }

  async #addBoard(hardware: object): Promise<void> {
    const { family, isSupervised } = this.#life;
    this.#name = `${this.#base}-${this.#boards}`;
    await this.#manage('POST', '/devices', {
      family,
      name: this.#name,
      isSupervised,
      user: { login: this.#login },
      hardware,
      knobs: { downloadSeconds: 0, promptSeconds: 0, signInSeconds: 0, notNowSeconds: 1 },
    });
  }

  readonly device = (): Promise<PretendState> => this.#manage('GET', `/devices/${this.#name}`);

  async #shown(): Promise<ShownDevice | undefined> {
    const { stage } = this.#worlds.trusted;
    const { hardware } = await this.device();
    const { items } = await stage.odette.call('get /api/devices', {
      query: { search: hardware.serialNumber, limit: 10 },
    });
    const row = items.find(({ udid }) => udid === hardware.udid);
    this.#shownId = row?.id;
    return row && stage.odette.call('get /api/devices/{id}', { params: { id: row.id } });
  }

  async #happen(event: LifeEvent): Promise<void> {
    switch (event.do) {
      case 'sleep':
        return void (await this.#act('sleep'));
      case 'power_off':
        return void (await this.#act('power-off'));
      case 'wake':
        return void (await this.#act('wake'));
      case 'erase':
        await this.#act('erase');
        if (this.#standing === 'enrolled') this.#standing = 'erased';
        return;
      case 'check_out':
        return this.#checkOut();
      case 'come_back':
        if (this.#standing !== 'enrolled') await this.#enroll(event.names, event.isAllowed);
        return;
      case 'change_owner':
        return this.#changeOwner();
      case 'change_board':
        return this.#changeBoard();
      case 'restore_backup':
        if (this.#standing === 'enrolled') await this.#act('token-update', { isNew: true });
        return;
      case 'remove_okta_verify':
        return void (await this.#act('remove-okta-verify'));
      case 'install_okta_verify':
        if (!(await this.#hasApp())) await this.#act('install-okta-verify', { source: 'appStore' });
        return;
      case 'sign_in':
        return void (await this.#act('sign-in'));
      case 'report_error':
        return this.#reportError(event.error, event.times);
      case 'not_now':
        return void (await this.#change({ knobs: { notNow: { times: event.times } } }));
      case 'lose_certificates':
        return void (await this.#change({ knobs: { losesCertificates: event.isOn } }));
      case 'respond_twice':
        return void (await this.#change({ knobs: { respondsTwice: true } }));
      case 'renew':
        return this.#ask('renew');
      case 'okta_admin':
        return this.#actInOkta(event.action);
    }
  }

  async #hasApp(): Promise<boolean> {
    return (await this.device()).apps.some(({ bundleId }) => bundleId === OKTA_VERIFY.bundleId);
  }

  async #reportError(error: number, times: number): Promise<void> {
    const reported = ERRORS[error % ERRORS.length] ?? ({} as never);
    await this.#change({ knobs: { breaks: [breakOf(reported, times)] } });
  }

  /** With a code that names its user, or none, or the next one, who has the device from then on. */
  async #enroll(names: Named, isAllowed: boolean): Promise<void> {
    if (names === 'another_user') await this.#nextOwner();
    await this.#act('wake');
    if (await this.#tryToEnroll(names)) return;
    // Odette does not know yet that the enrollment has ended: it asks an admin.
    this.#standing = 'refused';
    if (!isAllowed) return;
    const shown = await this.#shown();
    if (shown?.returnAskedAt == null)
      throw new Error('the device was refused, and nobody is asked to allow it');
    await this.#worlds.trusted.stage.odette.call('post /api/devices/{id}/return', {
      params: { id: shown.id },
      body: { decision: 'allow' },
    });
    if (!(await this.#tryToEnroll(names)))
      throw new Error('the device was allowed to return, and refused again');
  }

  async #tryToEnroll(names: Named): Promise<boolean> {
    const { world, trusted } = this.#worlds;
    const before = this.#wasKnown ? await this.#shown() : undefined;
    const { code } = await trusted.stage.odette.call('post /api/blueprints/{id}/enrollment-codes', {
      params: { id: trusted.blueprintId },
      body: { ...(names !== 'nobody' && { user: this.#login }), maxUses: 1, expiresInHours: 1 },
    });
    const url = world.environment['ODETTE_PUBLIC_URL'];
    try {
      await this.#act('enroll', { url, code });
    } catch (error) {
      if (before === undefined || before.enrollmentStatus === 'checked_out') throw error;
      return false;
    }
    this.#wasKnown = true;
    this.#standing = 'enrolled';
    if (names !== 'nobody') this.#user = this.#login;
    return true;
  }

  /** A device says it once: where the server could not take it, it is as if it were erased. */
  async #checkOut(): Promise<void> {
    if (this.#standing !== 'enrolled') return;
    const lost = async () => (await this.device()).counts['checkOutsLost'] ?? 0;
    const before = await lost();
    await this.#act('check-out');
    this.#standing = (await lost()) > before ? 'erased' : 'left';
  }

  async #nextOwner(): Promise<void> {
    this.#owners += 1;
    await this.#change({ user: { login: this.#login } });
  }

  async #changeOwner(): Promise<void> {
    await this.#nextOwner();
    const shown = await this.#shown();
    if (shown === undefined) return;
    await this.#worlds.trusted.stage.odette.call('patch /api/devices/{id}', {
      params: { id: shown.id },
      body: { user: this.#login },
    });
    this.#user = this.#login;
  }

  async #changeBoard(): Promise<void> {
    const { hardware } = await this.device();
    await this.#act('power-off');
    this.#boards += 1;
    const { serialNumber, productName } = hardware;
    await this.#addBoard({ serialNumber, productName });
    this.#standing = 'left';
    this.#user = null;
    this.#wasKnown = false;
    await this.#enroll('its_user', true);
  }

  async #actInOkta(action: string): Promise<void> {
    const { oktaVerify } = await this.device();
    const id = oktaVerify.oktaDeviceId;
    if (id === undefined) return;
    const [method, path] = action === 'delete' ? ['DELETE', ''] : ['POST', `/${action}`];
    // Not from every state to every other: Okta refuses.
    await this.#manage(method, `/tenants/one/devices/${id}${path}`).catch(() => undefined);
  }

  /** A check as the daily one, or a renewal; a device that is gone, or that has none, refuses. */
  async #ask(what: 'check' | 'renew'): Promise<void> {
    const shown = await this.#shown();
    if (shown === undefined) return;
    await this.#worlds.trusted.stage.odette
      .call(`post /api/devices/{id}/${what}`, { params: { id: shown.id } })
      .catch(() => undefined);
  }

  /** Nothing stands in the way any more: awake, no errors, and its user signs in when Okta Verify is there. */
  async #settle(): Promise<void> {
    await this.#change({ knobs: NO_KNOBS });
    await this.#act('wake');
    let agreed = 0;
    let last = { differences: '', mark: '' };
    let days = 0;
    let stillLooks = 0;
    let dayEndsAt = 0;
    for (;;) {
      const found = await this.#differences();
      agreed = found.length === 0 ? agreed + 1 : 0;
      // Twice: nothing is about to change it.
      if (agreed === 2) return;
      const { isOver, mark } = await this.#work();
      const differences = found.join();
      // While anything still changes, it is on its way.
      if (differences !== last.differences) days = 0;
      stillLooks = mark === last.mark ? stillLooks + 1 : 0;
      last = { differences, mark };
      if (found.length > 0 && days > PATIENCE_DAYS)
        throw new Error(await this.#described(found, `after ${PATIENCE_DAYS} days`));
      if (found.length > 0 && stillLooks > STILL_LOOKS)
        throw new Error(await this.#described(found, 'on a day that does not end'));
      if (found.length > 0 && isOver && Date.now() >= dayEndsAt) {
        await this.#liveDay();
        days += 1;
        stillLooks = 0;
        dayEndsAt = Date.now() + DAY_MS;
      }
      await pause(LOOK_MS);
    }
  }

  /** Of Odette for this device, and of the sweep that asks Okta. */
  async #work(): Promise<Work> {
    if (this.#shownId === undefined) return { isOver: true, mark: '' };
    const { isOver, mark } = await this.#worlds.work.on(this.#shownId, this.#standing === 'enrolled');
    return { isOver: isOver && (await this.#worlds.okta.wasAskedSince(this.#signedInAt)), mark };
  }

  async #differences(): Promise<string[]> {
    const [device, { records, logins }, shown] = await Promise.all([
      this.device(),
      this.#worlds.okta.look(),
      this.#shown(),
    ]);
    if (shown === undefined) return ['Odette does not know the device'];
    const { family } = this.#life;
    const hadBoards = this.#boards > 1 && family !== 'Mac';
    return differences(
      { device, records, logins, standing: this.#standing, user: this.#user, hadBoards },
      shown,
    );
  }

  /** What a day brings: the device is checked, its user signs in, and a certificate that failed is tried again. */
  async #liveDay(): Promise<void> {
    const isThere = this.#standing === 'enrolled';
    if (isThere && (await this.#hasApp())) await this.#act('sign-in');
    this.#signedInAt = Date.now();
    await this.#ask('check');
    await this.#worlds.okta.askedByOdette();
    const shown = await this.#shown();
    // Whoever waits for the device wakes it again within minutes, and Apple's answer says that it is gone.
    if (!isThere && shown?.bucket === 'in_progress')
      for (const workflow of [workflowIds.rollout, workflowIds.certificate])
        this.#worlds.skips.fastForward(workflow(shown.id), BACK_OFF_MS);
    if (isThere && shown?.truths.certificatePresent === false)
      this.#worlds.skips.fastForward(workflowIds.certificate(shown.id), BACK_OFF_MS);
  }

  async #described(found: readonly string[], when: string): Promise<string> {
    const shown = await this.#shown();
    const timeline =
      shown === undefined
        ? []
        : (
            await this.#worlds.trusted.stage.odette.call('get /api/devices/{id}/timeline', {
              params: { id: shown.id },
              query: { limit: 12 },
            })
          ).items.map(({ at, text }) => `  ${at} ${text}`);
    return [
      `${when}, of ${this.#name}, which is ${this.#standing}:`,
      ...found.map((each) => `- ${each}`),
      `Odette shows ${shown?.bucket} (${shown?.phase}): ${shown?.waitsFor}`,
      ...timeline,
    ].join('\n');
  }

  /** The end of the device: what has left can be retired, and is in no total. */
  async #retire(): Promise<void> {
    await this.#checkOut();
    const shown = await this.#shown();
    const isGone = this.#standing === 'left' || shown?.enrollmentStatus === 'unreachable';
    if (shown !== undefined && isGone) {
      await this.#worlds.trusted.stage.odette.call('delete /api/devices/{id}', { params: { id: shown.id } });
      if ((await this.#shown()) !== undefined) throw new Error('a device that was deleted is shown');
    }
    const { oktaVerify } = await this.device();
    for (let board = 1; board <= this.#boards; board += 1)
      await this.#manage('DELETE', `/devices/${this.#base}-${board}`).catch(() => undefined);
    if (oktaVerify.oktaDeviceId !== undefined)
      await this.#manage('DELETE', `/tenants/one/devices/${oktaVerify.oktaDeviceId}`).catch(() => undefined);
  }
}

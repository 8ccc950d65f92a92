// What every channel to another MDM server must do, whichever server it is: its devices become trusted, are renewed, and are shown alike.
import { expect } from 'vitest';
import type { Database } from '../../adapters/store/base/database.ts';
import type { PlayedDevice } from '../../sandbox/demo/sandbox-api.ts';
import * as pretend from './pretend-devices.ts';
import { devicesOf, untilAllAre, type TrustedWorld } from './stage.ts';
import { eventually, type World } from './world.ts';

/** Of the sandbox's default devices. */
export const MAC = 'mac-ada';
export const PHONE = 'iphone-ben';

export class ChannelScenario {
  readonly #world: World;
  readonly #trusted: TrustedWorld;
  readonly #database: Database;
  readonly #enrollmentUrl: string;
  #devices: readonly PlayedDevice[] = [];

  private constructor(world: World, trusted: TrustedWorld, database: Database, enrollmentUrl: string) {
    this.#world = world;
    this.#trusted = trusted;
    this.#database = database;
    this.#enrollmentUrl = enrollmentUrl;
  }

  /** @param enrollmentUrl of the other MDM server */
  static async open(
    world: World,
    trusted: TrustedWorld,
    database: Database,
    enrollmentUrl: string,
  ): Promise<ChannelScenario> {
    const scenario = new ChannelScenario(world, trusted, database, enrollmentUrl);
    await scenario.readDevices();
    return scenario;
  }

  udidOf(name: string): string {
    return this.#devices.find((device) => device.name === name)?.udid ?? '';
  }

  /** Empty: Odette does not know it. */
  async idOf(name: string): Promise<string> {
    return (await devicesOf(this.#trusted)).find(({ udid }) => udid === this.udidOf(name))?.id ?? '';
  }

  /** Another Mac of the sandbox, which is enrolled nowhere. */
  async addMac(name: string, knobs: object = {}): Promise<{ readonly hardware: { serialNumber: string } }> {
    const added = await this.#world.manage<{ hardware: { serialNumber: string } }>('POST', '/devices', {
      family: 'Mac',
      name,
      knobs,
    });
    await this.readDevices();
    return added;
  }

  enroll(name: string): Promise<void> {
    return this.#trusted.stage.sandbox.enroll(name, this.#enrollmentUrl, 'any');
  }

  until(name: string, bucket: string, withinMs: number) {
    return eventually(
      async () => (await devicesOf(this.#trusted)).find(({ udid }) => udid === this.udidOf(name)),
      (device) => device?.bucket === bucket,
      { withinMs, what: `${name}: ${bucket}`, everyMs: 500 },
    );
  }

  async timeline(name: string): Promise<string[]> {
    const { items } = await this.#trusted.stage.odette.call('get /api/devices/{id}/timeline', {
      params: { id: await this.idOf(name) },
      query: { limit: 200 },
    });
    return items.map(({ kind }) => kind);
  }

  /** The Mac and the iPhone, which have just enrolled: known, given their users, trusted; the Mac by all five truths. */
  async expectBothTrusted(withinMs: number): Promise<void> {
    const known = await eventually(
      () => devicesOf(this.#trusted),
      (all) => all.length === 2,
      { withinMs: 60_000, what: 'two devices are known' },
    );
    for (const { id, udid } of known) {
      const user = this.#devices.find((device) => device.udid === udid)?.user.login ?? '';
      await this.#trusted.stage.odette.call('patch /api/devices/{id}', { params: { id }, body: { user } });
    }
    await untilAllAre(this.#trusted, ['trusted'], { count: 2, withinMs });
    const truths = await this.#database.query<{ truth: string; state: string }>(
      'select truth, state from device_truths where device_id = $1 order by truth',
      [await this.idOf(MAC)],
    );
    expect(Object.fromEntries(truths.map(({ truth, state }) => [truth, state]))).toEqual({
      certificatePresent: 'held',
      delivered: 'held',
      managed: 'held',
      oktaVerifyManaged: 'held',
      registered: 'held',
    });
  }

  /** The Mac's timeline is that of any other, and the ledger, whichever server has the queue, has each command once. */
  async expectUsualTimeline(): Promise<void> {
    const kinds = await this.timeline(MAC);
    for (const kind of ['authenticated', 'enrolled', 'rollout_completed']) expect(kinds).toContain(kind);
    const commands = await this.#database.query<{ state: string; handOvers: number }>(
      'select state, hand_overs from commands where device_id = $1',
      [await this.idOf(MAC)],
    );
    expect(commands.filter(({ state }) => state === 'responded').length).toBeGreaterThan(5);
    expect(commands.every(({ handOvers }) => handOvers <= 1)).toBe(true);
  }

  async expectRenewal(withinMs: number): Promise<void> {
    const certificates = async () => pretend.certificatesOf(await pretend.onSandbox(this.#world, MAC));
    const before = await certificates();
    expect(before).toHaveLength(1);
    await this.#trusted.stage.odette.call('post /api/devices/{id}/renew', {
      params: { id: await this.idOf(MAC) },
    });
    await eventually(
      certificates,
      (now) => now.length === 1 && now[0]?.serialNumber !== before[0]?.serialNumber,
      { withinMs, what: 'another certificate, and no other' },
    );
    await untilAllAre(this.#trusted, ['trusted'], { count: 2, withinMs: 120_000 });
  }

  /** A Mac that is in no blueprint any more loses what Odette gave it, and keeps its app. */
  async expectRemoval(name: string, withinMs: number): Promise<void> {
    // The delay is for people, who may think again.
    await this.#database.query(
      `update device_trust set removal_terms = removal_terms || '{"delayMinutes": 0}'::jsonb where device_id = $1`,
      [await this.idOf(name)],
    );
    await this.#trusted.stage.odette.call('patch /api/devices/{id}', {
      params: { id: await this.idOf(name) },
      body: { blueprintId: null },
    });
    const device = await eventually(
      () => pretend.onSandbox(this.#world, name),
      (now) => pretend.managedProfilesOf(now).length === 0 && pretend.certificatesOf(now).length === 0,
      { withinMs, what: `${name} has nothing of Odette`, everyMs: 500 },
    );
    await this.until(name, 'out_of_scope', 30_000);
    expect(device.apps).toContainEqual(expect.objectContaining({ status: 'Managed' }));
  }

  /** Looks which devices the sandbox has. */
  async readDevices(): Promise<void> {
    this.#devices = await this.#trusted.stage.sandbox.devices();
  }
}

// What the pretend Okta holds, looked at once for all lives that are lived together, and the sweep by which Odette asks it.
import type { Client } from '@temporalio/client';
import { workflowIds } from '../../workflows/messages.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import type { World } from '../harness/world.ts';
import type { OktaRecord } from './shown.ts';

interface Look {
  readonly records: readonly OktaRecord[];
  /** By the id of the user. */
  readonly logins: ReadonlyMap<string, string>;
}

/** Less than a life lets pass between two looks: each look of one life is a new one. */
const LOOK_MS = 900;
const SWEEP_MS = 4000;

export class PretendOkta {
  readonly #world: World;
  readonly #temporal: Client;
  readonly #database: Database;
  readonly #integrationId: string;
  #look: { readonly at: number; readonly seen: Promise<Look> } | undefined;
  #sweptAt = 0;

  constructor(world: World, temporal: Client, database: Database, integrationId: string) {
    this.#world = world;
    this.#temporal = temporal;
    this.#database = database;
    this.#integrationId = integrationId;
  }

  look(): Promise<Look> {
    const now = Date.now();
    if (this.#look === undefined || now - this.#look.at > LOOK_MS)
      this.#look = { at: now, seen: this.#lookAnew() };
    return this.#look.seen;
  }

  /** The sweep asks for all devices; one that is under way need not be asked for again. */
  async askedByOdette(): Promise<void> {
    if (Date.now() - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = Date.now();
    await this.#temporal.schedule
      .getHandle(workflowIds.sweep('trust', this.#integrationId))
      .trigger()
      .catch(() => undefined);
  }

  /** Whether a sweep that began after this time has ended. One that was under way is followed by another. */
  async wasAskedSince(milliseconds: number): Promise<boolean> {
    const [row] = await this.#database.query<{ sweptAt: Date | null }>(
      'select swept_at from okta_reads where integration_id = $1',
      [this.#integrationId],
    );
    if ((row?.sweptAt?.getTime() ?? 0) >= milliseconds) return true;
    await this.askedByOdette();
    return false;
  }

  async #lookAnew(): Promise<Look> {
    const [records, users] = await Promise.all([
      this.#world.manage<OktaRecord[]>('GET', '/tenants/one/devices'),
      this.#world.manage<{ id: string; login: string }[]>('GET', '/tenants/one/users'),
    ]);
    return { records, logins: new Map(users.map(({ id, login }) => [id, login])) };
  }
}

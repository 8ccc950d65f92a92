// LISTEN on one kept connection for all channels of a process, renewed when it breaks.
import type pg from 'pg';

type OnNotify = (payload: string) => void;

const RECONNECT_MS = [100, 500, 1000, 2000];

export class NotificationListener {
  readonly #newClient: () => pg.Client;
  readonly #channels = new Map<string, Set<OnNotify>>();
  #client: Promise<pg.Client> | undefined;
  #hasEnded = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(newClient: () => pg.Client) {
    this.#newClient = newClient;
  }

  /** Rejects when the first connection fails; later breaks are mended in the background. */
  async listen(channel: string, onNotify: OnNotify): Promise<() => Promise<void>> {
    if (!/^[a-z_][a-z0-9_]*$/.test(channel)) throw new TypeError(`not a channel name: ${channel}`);
    const listeners = this.#channels.get(channel) ?? new Set<OnNotify>();
    const isNew = listeners.size === 0;
    listeners.add(onNotify);
    this.#channels.set(channel, listeners);
    try {
      const client = await this.#connected();
      if (isNew) await client.query(`listen ${channel}`);
    } catch (error) {
      await this.#forget(channel, onNotify);
      throw error;
    }
    return () => this.#forget(channel, onNotify);
  }

  async end(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#retry);
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #forget(channel: string, onNotify: OnNotify): Promise<void> {
    const listeners = this.#channels.get(channel);
    listeners?.delete(onNotify);
    if (listeners?.size !== 0) return;
    this.#channels.delete(channel);
    const client = await this.#client?.catch(() => undefined);
    if (!this.#hasEnded) await client?.query(`unlisten ${channel}`).catch(() => undefined);
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const client = this.#newClient();
    client.on('notification', ({ channel, payload }) => {
      for (const onNotify of this.#channels.get(channel) ?? []) onNotify(payload ?? '');
    });
    let isUp = false;
    const broke = () => {
      if (!isUp) return;
      isUp = false;
      this.#client = undefined;
      this.#reconnect(0);
    };
    client.on('error', broke);
    client.on('end', broke);
    await client.connect();
    isUp = true;
    return client;
  }

  #reconnect(attempt: number): void {
    if (this.#hasEnded) return;
    const wait = RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)];
    this.#retry = setTimeout(() => {
      this.#resume().catch(() => this.#reconnect(attempt + 1));
    }, wait);
  }

  async #resume(): Promise<void> {
    const client = await this.#connected();
    for (const channel of this.#channels.keys()) await client.query(`listen ${channel}`);
    for (const listeners of this.#channels.values()) for (const onNotify of listeners) onNotify('');
  }
}

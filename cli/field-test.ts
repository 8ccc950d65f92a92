// `odette field-test`: leads an admin with one real Mac, one iPhone and a preview tenant through everything that only they can show.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { findBlueprint } from './blueprints.ts';
import type { CommandLine } from './command-line.ts';
import { CliError, EXIT } from './exits.ts';
import type { OdetteClient, ResponseOf } from './odette-client.ts';

type Device = ResponseOf<'get /api/devices'>['items'][number];

interface Options {
  readonly blueprint: string;
  readonly user: string;
  readonly recordings: string;
  readonly only?: 'mac' | 'iphone';
}

const LOOK_MS = 1000;
/** A step of a real device: a download of an app, a person at lunch. */
const STEP_MS = 60 * 60_000;

/** What a complete test has recorded: the beginnings of the file names. */
const EXPECTED = {
  mac: [
    'scep-PKIOperation',
    'device-Authenticate',
    'device-TokenUpdate',
    'device-Idle',
    'device-Acknowledged-QueryResponses',
    'device-Acknowledged-ProfileList',
    'device-Acknowledged-CertificateList',
    'device-Acknowledged-ManagedApplicationList',
    'device-CheckOut',
    'okta-token',
    'okta-devices',
    'okta-page',
  ],
  iphone: [
    'scep-PKIOperation',
    'device-Authenticate',
    'device-TokenUpdate',
    'device-Acknowledged-QueryResponses',
    'device-Acknowledged-ProfileList',
    'device-Acknowledged-ManagedApplicationList',
    'device-CheckOut',
  ],
} as const;

export function addFieldTest(program: Command, line: CommandLine): void {
  program
    .command('field-test')
    .description(
      'guides you through a test with one real Mac, one iPhone and a preview tenant; records redacted copies of the exchanges',
    )
    .requiredOption('--blueprint <name>', 'a blueprint whose library item has Okta Device Trust on')
    .requiredOption('--user <login>', 'who signs in on both devices')
    .requiredOption('--recordings <folder>', 'ODETTE_FIELD_TEST_DIR of the running Odette')
    .option('--only <device>', 'mac or iphone')
    .action(async (options: Options) => {
      if (options.only !== undefined && !['mac', 'iphone'].includes(options.only))
        throw new CliError(EXIT.usage, '--only takes mac or iphone.');
      if (!line.terminal.isInteractive)
        throw new CliError(EXIT.usage, 'A field test is interactive: run it in a terminal.');
      await new FieldTest(await line.connect(), line, options).run();
    });
}

class FieldTest {
  readonly #odette: OdetteClient;
  readonly #line: CommandLine;
  readonly #options: Options;
  /** Of the device that is tried. */
  #step = 0;

  constructor(odette: OdetteClient, line: CommandLine, options: Options) {
    this.#odette = odette;
    this.#line = line;
    this.#options = options;
  }

  async run(): Promise<void> {
    const kinds = this.#options.only === undefined ? (['mac', 'iphone'] as const) : [this.#options.only];
    await this.#prepare();
    for (const kind of kinds) await this.#try(kind);
    await this.#conclude([...new Set(kinds.flatMap((kind) => EXPECTED[kind]))]);
  }

  /** @throws CliError when something is missing */
  async #prepare(): Promise<void> {
    const status = await this.#odette.call('get /api/status');
    const missing = status.needs.filter(({ isRequired }) => isRequired);
    if (!status.ready || missing.length > 0)
      throw new CliError(
        EXIT.unfinished,
        missing[0]?.text ?? 'Odette is not ready.',
        'See `odette status`, then start over.',
      );
    if (status.addresses.enrollmentLink === null)
      throw new CliError(
        EXIT.unfinished,
        'Devices have no enrollment address.',
        'Set ODETTE_PUBLIC_URL, start Odette again, then start over.',
      );
    const isRecording = await readdir(this.#options.recordings).then(
      () => true,
      () => false,
    );
    if (!isRecording)
      throw new CliError(
        EXIT.unfinished,
        `${this.#options.recordings} does not exist: Odette does not record.`,
        `Start Odette with ODETTE_FIELD_TEST_DIR=${this.#options.recordings}, then start over.`,
      );
  }

  async #try(kind: 'mac' | 'iphone'): Promise<void> {
    const name = kind === 'mac' ? 'Mac' : 'iPhone';
    const before = new Set((await this.#devices()).map(({ id }) => id));
    const blueprint = await findBlueprint(this.#odette, this.#options.blueprint);
    const { code } = await this.#odette.call('post /api/blueprints/{id}/enrollment-codes', {
      params: { id: blueprint.id },
      body: { user: this.#options.user, maxUses: 1, expiresInHours: 1 },
    });
    const { enrollmentLink } = (await this.#odette.call('get /api/status')).addresses;
    this.#step = 0;
    await this.#ask(
      name,
      `enroll. Open ${String(enrollmentLink)} on it, type ${code}, and install the profile.`,
    );
    const found = await this.#until(
      `the ${name}`,
      (device) => !before.has(device.id) && device.family === name,
    );
    let said = found.waitsFor;
    const reached = (what: string, holds: (device: Device) => boolean): Promise<Device> =>
      this.#until(what, (device) => {
        if (device.id !== found.id) return false;
        // What a device says, or what its user has to do, is seen at once.
        if (device.waitsFor !== null && device.waitsFor !== said)
          this.#line.terminal.tell(`  ${device.waitsFor}`);
        said = device.waitsFor;
        return holds(device);
      });
    await reached('everything to be delivered', ({ phase }) => phase === 'delivered');
    const signIn = `sign in to Okta on it as ${this.#options.user} with FastPass.`;
    await this.#ask(name, signIn);
    await reached('Okta to call it managed', ({ bucket }) => bucket === 'trusted');
    if (kind === 'mac') await this.#renewAndWake(found.id, reached);
    await this.#heal(name, found.id);
    await this.#ask(name, signIn);
    await reached('Okta to call it managed', ({ bucket }) => bucket === 'trusted');
    await this.#ask(name, 'remove the enrollment profile.');
    await reached('the device to leave', ({ bucket }) => bucket === 'left');
  }

  async #renewAndWake(
    id: string,
    reached: (what: string, holds: (device: Device) => boolean) => Promise<Device>,
  ): Promise<void> {
    const certificates = async (): Promise<string> =>
      JSON.stringify((await this.#odette.call('get /api/devices/{id}', { params: { id } })).certificates);
    const before = await certificates();
    await this.#odette.call('post /api/devices/{id}/renew', { params: { id }, body: {} });
    this.#line.terminal.tell(this.#stepOf('Mac', 'Odette renews its certificate.'));
    await this.#eventually('the new certificate', async () => (await certificates()) !== before);
    await reached('the Mac to stay trusted', ({ bucket }) => bucket === 'trusted');
    await this.#ask('Mac', 'put it to sleep for a minute, then wake it and unlock it.');
    await this.#odette.call('post /api/devices/{id}/check', { params: { id } });
    await reached('the Mac to stay trusted', ({ bucket }) => bucket === 'trusted');
  }

  /** What its user takes away comes back by itself, at the latest with the check of the day, which is asked for here. */
  async #heal(name: string, id: string): Promise<void> {
    const since = async (): Promise<string | null | undefined> => {
      const { evidence } = await this.#odette.call('get /api/devices/{id}', { params: { id } });
      return evidence.find(({ truth, state }) => truth === 'oktaVerifyManaged' && state === 'held')?.since;
    };
    const before = await since();
    await this.#ask(name, 'delete Okta Verify from it, as its user might.');
    await this.#odette.call('post /api/devices/{id}/check', { params: { id } });
    await this.#eventually('Okta Verify to come back', async () => {
      const now = await since();
      return typeof now === 'string' && now !== before;
    });
  }

  async #conclude(expected: readonly string[]): Promise<void> {
    const files = (await readdir(this.#options.recordings)).filter((name) => name.endsWith('.json'));
    const absent = expected.filter((label) => !files.some((name) => name.startsWith(label)));
    const lines = [
      `${files.length} exchanges are in ${path.resolve(this.#options.recordings)}.`,
      ...absent.map((label) => `  never seen: ${label}`),
      'Read them, copy them to test/data/field/, and run `npm test`. Then unset ODETTE_FIELD_TEST_DIR and start Odette again.',
    ];
    this.#line.terminal.print(lines.join('\n'));
    if (absent.length > 0) this.#line.exitCode = EXIT.failed;
  }

  #stepOf(name: string, what: string): string {
    this.#step += 1;
    return `${name} ${this.#step}: ${what}`;
  }

  async #ask(name: string, what: string): Promise<void> {
    await this.#line.terminal.ask(`${this.#stepOf(name, what)}\nReturn when done. `);
  }

  async #devices(): Promise<Device[]> {
    return (await this.#odette.call('get /api/devices', { query: { limit: 500 } })).items;
  }

  async #until(what: string, holds: (device: Device) => boolean): Promise<Device> {
    let found: Device | undefined;
    await this.#eventually(what, async () => {
      found = (await this.#devices()).find(holds);
      return found !== undefined;
    });
    if (found === undefined) throw new Error(what);
    return found;
  }

  /** @throws CliError after an hour */
  async #eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    this.#line.terminal.tell(`Waiting for ${what} …`);
    const end = Date.now() + STEP_MS;
    while (!(await holds())) {
      if (Date.now() > end)
        throw new CliError(
          EXIT.failed,
          `Waited an hour for ${what}.`,
          'Look at `odette device show`, then start over.',
        );
      await pause(LOOK_MS);
    }
  }
}

// Rollouts through NanoMDM and through Fleet, while that server and parts of Odette are killed: every device becomes trusted, by one
// certificate. KILLS_SEED says which messages meet a kill. NanoMDM needs Go.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import { rollOutUnderKills } from '../harness/channel-kills.ts';
import { ChannelScenario } from '../harness/channel-scenario.ts';
import { addFleetChannel } from '../harness/fleet-channel.ts';
import { nanoMdmIsMissing } from '../harness/nanomdm.ts';
import { startNanoMdmWorld, type NanoMdmWorld } from '../harness/nanomdm-world.ts';
import { setUpTrust, type TrustedWorld } from '../harness/stage.ts';
import { startWorld, type World } from '../harness/world.ts';

const seed = Number(process.env['KILLS_SEED'] ?? 1);
const WITHIN_MS = 300_000;
const LIMIT_MS = WITHIN_MS + 240_000;

describe.skipIf(nanoMdmIsMissing() !== undefined)('beside NanoMDM', () => {
  let beside: NanoMdmWorld;
  beforeAll(async () => {
    beside = await startNanoMdmWorld({ seed });
    await beside.connect();
  }, 180_000);
  afterAll(() => beside?.stop(), 60_000);

  test(
    'whatever is killed, and whatever webhooks are lost, doubled and late, each device gets one certificate',
    async () => {
      const { nano, relay } = beside;
      Object.assign(relay.luck, { lost: 0.1, doubled: 0.2, held: 0.2 });
      const server = { name: 'NanoMDM', kill: () => nano.kill(), start: () => nano.start() };
      await rollOutUnderKills({ ...beside, server, seed, meanwhile: () => relay.release() }, WITHIN_MS);
    },
    LIMIT_MS,
  );
});

describe('beside Fleet', () => {
  let world: World;
  let trusted: TrustedWorld;
  let database: Database;
  let channelId: string;
  const knobs = (change: object) => world.manage('PATCH', '/fleet/knobs', change);

  beforeAll(async () => {
    world = await startWorld();
    trusted = await setUpTrust(world);
    database = connectDatabase(world.databaseUrl);
    ({ id: channelId } = await addFleetChannel(world, trusted));
  }, 180_000);
  afterAll(async () => {
    await database?.end();
    await world?.stop();
  }, 60_000);

  test(
    'whatever is killed, and while Fleet is away and loses what it was told, each device gets one certificate',
    async () => {
      const scenario = await ChannelScenario.open(world, trusted, database, world.sandbox.fleet);
      // It keeps all that it has answered in a file, as Fleet in its database. So what a kill can do is this: nobody reaches it, and of what was
      // under way one command is kept without an answer. One that is answered and not kept is what a restored backup does.
      const server = {
        name: 'Fleet',
        kill: () => knobs({ isDown: true }) as Promise<void>,
        start: () => knobs({ isDown: false, losesResponses: 1, losesCommands: 1 }) as Promise<void>,
      };
      const meanwhile = () =>
        trusted.stage.odette.call('post /api/channels/{id}/read', { params: { id: channelId } });
      const stage = { world, trusted, scenario, database, server, seed, meanwhile };
      await rollOutUnderKills(stage, WITHIN_MS);
    },
    LIMIT_MS,
  );
});

// Each secret of an integration is rotated in the middle of many rollouts while parts are killed with SIGKILL, PostgreSQL and Temporal among
// them. `npm run bench:rotations` (ROTATION_DEVICES 200, for each secret); exits with 1 where a device failed or an old value was used.
import { connectByKey, rotateInTheStorm, type StormResult } from '../harness/rotation-storm.ts';
import { setUpTrust } from '../harness/stage.ts';
import { startWorld } from '../harness/world.ts';
import { ROTATED_SECRETS } from '../../domain/secret-rotation.ts';

const DEVICES = Number(process.env['ROTATION_DEVICES'] ?? 200);
const ORDER = [...ROTATED_SECRETS].sort(
  (one, other) => Number(one === 'private_key') - Number(other === 'private_key'),
);

const world = await startWorld({ devices: 'none' });
const results: StormResult[] = [];
try {
  const trusted = await setUpTrust(world);
  // Tokens are asked for all the time.
  await world.manage('PATCH', '/tenants/one/knobs', { tokens: { lifeSeconds: 5 } });
  for (const kind of ORDER) {
    if (kind === 'private_key') await connectByKey(world, trusted);
    const result = await rotateInTheStorm(world, trusted, kind, {
      devices: DEVICES,
      parts: ['worker', 'relay', 'api', 'devices', 'temporal', 'postgres'],
      betweenKillsMs: [1_000, 10_000],
      withinMs: 5 * 60_000 + DEVICES * 5_000,
    });
    results.push(result);
    console.log(`${kind}: killed ${result.killed.join(', ')}; ${result.failed.join('; ')}`);
  }
} finally {
  await world.stop();
}
console.table(
  Object.fromEntries(
    results.map(({ kind, killed, failed, ...figures }) => [
      kind,
      { ...figures, kills: killed.length, failed: failed.length },
    ]),
  ),
);
const isRight = ({ failed, oldAfterCommit, phonesWithOld }: StormResult): boolean =>
  failed.length + oldAfterCommit + phonesWithOld === 0;
process.exitCode = results.length === ORDER.length && results.every(isRight) ? 0 : 1;

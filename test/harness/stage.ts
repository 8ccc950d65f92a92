// The play's own steps, for scenarios: connects the pretend tenant, switches Okta Device Trust on, enrolls devices of a world.
import { odetteApi } from '../../sandbox/demo/odette-api.ts';
import { SandboxApi } from '../../sandbox/demo/sandbox-api.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import {
  assignOktaVerify,
  connectOkta,
  giveAppleCertificates,
  type Stage,
} from '../../sandbox/demo/set-up.ts';
import { eventually, type World } from './world.ts';

export interface TrustedWorld {
  readonly stage: Stage;
  readonly integrationId: string;
  readonly blueprintId: string;
}

export async function stageOf(world: World): Promise<Stage> {
  const sandbox = new SandboxApi(world.sandbox.management);
  return {
    odette: odetteApi(`http://${world.environment['ODETTE_ADMIN_LISTEN']}`, await world.token()),
    sandbox,
    addresses: await sandbox.addresses(),
    progress: { seconds: 0, print: () => undefined } as unknown as Stage['progress'],
  };
}

/** Push certificate, license token, wizard, blueprint and library item with Okta Device Trust on. */
export async function setUpTrust(world: World): Promise<TrustedWorld> {
  const stage = await stageOf(world);
  await giveAppleCertificates(stage);
  const integrationId = await connectOkta(stage);
  const blueprintId = await assignOktaVerify(stage, integrationId);
  return { stage, integrationId, blueprintId };
}

export interface KnownDevice {
  readonly id: string;
  readonly udid: string;
  readonly user: string | null;
  readonly bucket: string;
  readonly phase: string;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
}

/** Enrolls what the sandbox's shelf holds and is not enrolled yet. */
export const enrollAll = ({ stage, blueprintId }: TrustedWorld): Promise<void> =>
  enrollDevices(stage, blueprintId);

export async function devicesOf({ stage }: TrustedWorld): Promise<KnownDevice[]> {
  const { items } = await stage.odette.call('get /api/devices', { query: { limit: 500 } });
  return items;
}

/** Waits until as many devices as the sandbox has are in one of the buckets. */
export const untilAllAre = (
  trusted: TrustedWorld,
  buckets: readonly string[],
  options: { count: number; withinMs: number },
): Promise<KnownDevice[]> =>
  eventually(
    () => devicesOf(trusted),
    (devices) => devices.filter(({ bucket }) => buckets.includes(bucket)).length >= options.count,
    { withinMs: options.withinMs, what: `${options.count} devices ${buckets.join(' or ')}` },
  );

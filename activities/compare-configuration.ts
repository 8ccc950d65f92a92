// Compares the app configuration that a device has with the one it should have. The secret in it stays in memory.
import { timingSafeEqual } from 'node:crypto';
import { appConfiguration } from '../adapters/mdm/payloads/app-configuration.ts';
import type { PlistDict } from '../adapters/mdm/plist.ts';
import { expectedAppConfiguration } from '../adapters/store/integration/app-configuration.ts';
import type { Database } from '../adapters/store/base/database.ts';
import { readDeviceState } from '../adapters/store/rollout/rollout-state.ts';
import { OKTA_VERIFY } from '../domain/device-report.ts';
import { canonicalJson } from '../domain/payload-set.ts';
import type { Sealer } from '../domain/sealer.ts';

/** For the device endpoints: the revision that the reported configuration equals, or undefined. */
export const configurationComparer =
  (database: Database, sealer: Sealer) =>
  async (
    deviceId: string,
    configurations: readonly { readonly identifier: string; readonly configuration: PlistDict }[],
  ): Promise<string | undefined> => {
    const reported = configurations.find(({ identifier }) => identifier === OKTA_VERIFY.bundleId);
    const state = reported && (await readDeviceState(database, deviceId));
    const expected =
      state && (await expectedAppConfiguration(database, sealer, state, 'app configuration compared'));
    if (expected === undefined || reported === undefined) return undefined;
    return isEqual(reported.configuration, appConfiguration(expected)) ? expected.revision : undefined;
  };

function isEqual(one: PlistDict, other: PlistDict): boolean {
  const [first, second] = [one, other].map((each) => Buffer.from(canonicalJson(each), 'utf8'));
  return (
    first !== undefined &&
    second !== undefined &&
    first.length === second.length &&
    timingSafeEqual(first, second)
  );
}

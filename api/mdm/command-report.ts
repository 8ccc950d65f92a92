// A device asks for its next command and reports on the last one, in one transaction.
import type { Report } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { isBusy, lookForWork } from '../../adapters/store/devices/devices.ts';
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import { pinnedDevice } from './check-in.ts';
import type { GivenCommands } from './given-commands.ts';
import { recordReport } from './record-report.ts';
import { readReport, type CompareConfiguration } from './response-reading.ts';
import type { Signer } from './signer.ts';

export interface Exchange {
  readonly deviceId: string;
  readonly next: HandedOver | undefined;
  /** Its workflow will probably queue another command in a moment. */
  readonly isMoreExpected: boolean;
}

export async function exchange(
  dependencies: {
    readonly database: Database;
    readonly given: GivenCommands;
    readonly compareConfiguration: CompareConfiguration;
  },
  report: Report,
  body: Buffer,
  signer: Signer,
): Promise<Exchange> {
  const { database, given, compareConfiguration } = dependencies;
  // Read and compared before the transaction: a configuration that holds a secret stays in memory.
  const read = await readReport(given.find, compareConfiguration, report);
  return database.inTransaction(async (sql) => {
    const device = await pinnedDevice(sql, report.udid, signer);
    if (device.enrollmentStatus === 'authenticated')
      return { deviceId: device.id, next: undefined, isMoreExpected: false };
    if (report.status === 'Idle') {
      const work = await lookForWork(sql, device.id);
      if (!work.isThere) return { deviceId: device.id, next: undefined, isMoreExpected: work.isBusy };
    }
    const { kind, next } = await recordReport(sql, device.id, report, read, body, { takesNext: true });
    const isMoreExpected =
      next === undefined &&
      kind !== 'unknown' &&
      kind !== 'not_now' &&
      (kind === 'responded' || (await isBusy(sql, device.id)));
    return { deviceId: device.id, next, isMoreExpected };
  });
}

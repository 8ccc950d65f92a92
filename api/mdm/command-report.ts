// A device asks for its next command and reports on the last one, in one transaction.
import type { Report } from '../../adapters/mdm/device-message.ts';
import { tellEnded } from '../../activities/signal-response.ts';
import type { Database, Sql } from '../../adapters/store/base/database.ts';
import { type HandedOver, takeNextCommand } from '../../adapters/store/devices/command-exchange.ts';
import { isBusy, lookForWork } from '../../adapters/store/devices/devices.ts';
import { pinnedDevice } from './check-in.ts';
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
  dependencies: { readonly database: Database; readonly compareConfiguration: CompareConfiguration },
  report: Report,
  body: Buffer,
  signer: Signer,
): Promise<Exchange> {
  const { database, compareConfiguration } = dependencies;
  // Read and compared before the transaction: a configuration that holds a secret stays in memory.
  const read = await readReport(database, compareConfiguration, report);
  return database.inTransaction(async (sql) => {
    const device = await pinnedDevice(sql, report.udid, signer);
    if (device.enrollmentStatus === 'authenticated')
      return { deviceId: device.id, next: undefined, isMoreExpected: false };
    if (report.status === 'Idle') {
      const work = await lookForWork(sql, device.id);
      if (!work.isThere) return { deviceId: device.id, next: undefined, isMoreExpected: work.isBusy };
    }
    const recorded = await recordReport(sql, device.id, report, read, body);
    if (recorded === 'unknown') return { deviceId: device.id, next: undefined, isMoreExpected: false };
    const next = await takeNext(sql, device.id);
    const isMoreExpected =
      next === undefined &&
      recorded !== 'not_now' &&
      (recorded === 'responded' || (await isBusy(sql, device.id)));
    return { deviceId: device.id, next, isMoreExpected };
  });
}

/** The next command of a channel, the device's own or a user's; who waits for one that has expired is told. */
export async function takeNext(sql: Sql, deviceId: string, userId?: string): Promise<HandedOver | undefined> {
  const { next, expired } = await takeNextCommand(sql, deviceId, userId);
  if (expired.length > 0) await tellEnded(sql, deviceId, expired, 'Withdrawn');
  return next;
}

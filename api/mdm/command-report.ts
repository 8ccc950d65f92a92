// A device asks for its next command and reports on the last one: in one statement where nothing is unusual, else in one transaction.
import type { Report } from '../../adapters/mdm/device-message.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import {
  recordResponseAtOnce,
  type RecordedAtOnce,
  type ResponseAtOnce,
} from '../../adapters/store/devices/response-at-once.ts';
import { responsesMessage } from '../../activities/signal-response.ts';
import { isOfCheck } from '../../domain/device-check.ts';
import { isBusy } from '../../adapters/store/devices/devices.ts';
import type { IdlesTogether } from '../../adapters/store/devices/idles-together.ts';
import type { HandedOver } from '../../adapters/store/devices/next-command.ts';
import { pinnedDevice } from './check-in.ts';
import type { GivenCommands } from './given-commands.ts';
import type { LongPolls, Slot } from './long-poll.ts';
import { recordReport } from './record-report.ts';
import { readReport, type CompareConfiguration, type ReadReport } from './response-reading.ts';
import type { Signer } from './signer.ts';

export interface Exchange {
  readonly deviceId: string;
  readonly next: HandedOver | undefined;
  /** Its workflow will probably queue another command in a moment. */
  readonly isMoreExpected: boolean;
  /** It waits for that command already. */
  readonly begun?: BegunWait;
}

export interface BegunWait {
  readonly slot: Slot;
  readonly mark: Date;
}

export interface ExchangeDependencies {
  readonly database: Database;
  readonly given: GivenCommands;
  readonly idles: Pick<IdlesTogether, 'record'>;
  readonly compareConfiguration: CompareConfiguration;
  readonly longPolls: Pick<LongPolls, 'take'>;
}

export async function exchange(
  dependencies: ExchangeDependencies,
  report: Report,
  body: Buffer,
  signer: Signer,
): Promise<Exchange> {
  const { database, given, compareConfiguration } = dependencies;
  // Read and compared before the transaction: a configuration that holds a secret stays in memory.
  const read = await readReport(given.find, compareConfiguration, report);
  const atOnce = await exchangeAtOnce(dependencies, report, read, signer);
  if (atOnce !== undefined) return atOnce;
  return database.inTransaction(async (sql) => {
    const device = await pinnedDevice(sql, report.udid, signer);
    if (device.enrollmentStatus === 'authenticated')
      return { deviceId: device.id, next: undefined, isMoreExpected: false };
    const { kind, next } = await recordReport(sql, device.id, report, read, body, { takesNext: true });
    const isMoreExpected =
      next === undefined &&
      kind !== 'unknown' &&
      kind !== 'not_now' &&
      (kind === 'responded' || (await isBusy(sql, device.id)));
    return { deviceId: device.id, next, isMoreExpected };
  });
}

/** What nearly all messages are, in one statement and without a transaction around it. undefined: it is looked into. */
async function exchangeAtOnce(
  { database, idles, longPolls }: Pick<ExchangeDependencies, 'database' | 'idles' | 'longPolls'>,
  report: Report,
  read: ReadReport | undefined,
  signer: Signer,
): Promise<Exchange | undefined> {
  const sender = { udid: report.udid, fingerprint: signer.certificate.fingerprint };
  if (report.status === 'Idle') {
    const idle = await idles.record(sender);
    return idle && { ...idle, isMoreExpected: idle.next === undefined && idle.isBusy };
  }
  const response = read && responseAtOnce(read, report, sender);
  if (response === undefined) return undefined;
  const { deviceId } = response.command;
  // Before the statement that opens its wait, so that it is told of what is queued from then on.
  const slot = longPolls.take(deviceId);
  let recorded: RecordedAtOnce | undefined;
  try {
    recorded = await recordResponseAtOnce(database, { ...response, waitMs: slot?.milliseconds ?? 0 });
  } finally {
    if (recorded?.mark == null) slot?.close();
  }
  if (recorded === undefined) return undefined;
  const { next, mark } = recorded;
  const begun = slot && mark !== null ? { slot, mark } : undefined;
  return { deviceId, next, isMoreExpected: next === undefined, ...(begun && { begun }) };
}

/** undefined: more than that has to be written. */
function responseAtOnce(
  { command, final, response, problem }: ReadReport,
  { status }: Report,
  sender: ResponseAtOnce['sender'],
): Omit<ResponseAtOnce, 'waitMs'> | undefined {
  const isUsual = command.state === 'handed_over' && command.userId === null && problem === undefined;
  if (!isUsual || status === 'NotNow' || isOfCheck(command.workflowId)) return undefined;
  const usual = { command, sender, final, message: responsesMessage(command) };
  switch (response.kind) {
    case 'profiles':
      return { ...usual, listed: { list: 'profiles', entries: response.profiles } };
    case 'certificates':
      return { ...usual, listed: { list: 'certificates', entries: response.certificates } };
    case 'applications':
      return { ...usual, listed: { list: 'applications', entries: response.applications } };
    case 'installedApplications':
      return { ...usual, listed: { list: 'installed_applications', entries: response.applications } };
    case 'deviceInformation':
      return { ...usual, details: response };
    case 'applicationConfiguration':
      return undefined;
    case 'installApplication':
    case 'settings':
    case 'none':
      return usual;
  }
}

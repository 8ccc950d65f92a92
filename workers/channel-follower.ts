// Asks channels that tell nothing by themselves (Fleet): what became of the commands that they were given, and which devices they have.
// What is due, and when, stands in the database: any number of processes may ask, and one that ends leaves the rest to the others.
import type { Database } from '../adapters/store/base/database.ts';
import {
  rescheduleQuestion,
  claimQuestions,
  nextQuestionDueInMs,
  QUESTIONS_CHANNEL,
  stopAsking,
  type Question,
} from '../adapters/store/devices/channel-questions.ts';
import {
  claimReading,
  nextReadingDueInMs,
  recordAnswer,
  recordFailedReading,
  recordReading,
  readAgain,
  type DueReading,
} from '../adapters/store/devices/channel-readings.ts';
import { findChannel } from '../adapters/store/devices/channels.ts';
import type { FleetClient } from '../adapters/fleet/fleet-client.ts';
import { collectResponses } from '../api/channels/fleet-responses.ts';
import { readFleet } from '../api/channels/fleet-reading.ts';
import type { CompareConfiguration } from '../api/mdm/response-reading.ts';
import { nextQuestionInMs, READ_DEVICES_EVERY_MS, retryInMs } from '../domain/channel-pauses.ts';
import { CataloguedError } from '../domain/failures.ts';
import type { RelayLog } from './relay-loop.ts';
import { repeat } from './repeated-work.ts';

interface FollowerDependencies {
  readonly database: Database;
  readonly log: RelayLog;
  readonly compareConfiguration: CompareConfiguration;
  readonly channels: { fleet(channelId: string): Promise<FleetClient> };
}

/** Devices that are asked about at once. */
const AT_ONCE = 8;
/** Longest pause without a look, milliseconds: a NOTIFY may be lost. */
const LOOK_EVERY_MS = 5_000;

/** Starts at once; `stop` ends it when what is under way is done. */
export function startChannelFollower(dependencies: FollowerDependencies): { stop(): Promise<void> } {
  const ending = new AbortController();
  const { database, log } = dependencies;
  const common = { database, log, signal: ending.signal, channel: QUESTIONS_CHANNEL };
  const asking = repeat({
    ...common,
    name: 'what became of commands',
    work: async () => {
      await followDue(dependencies, ending.signal);
      return pauseOf(await nextQuestionDueInMs(database));
    },
  });
  const reading = repeat({
    ...common,
    name: 'devices of channels',
    work: async () => {
      for (let due = await claimReading(database); due; due = await claimReading(database)) {
        await readDue(dependencies, due);
        if (ending.signal.aborted) break;
      }
      return pauseOf(await nextReadingDueInMs(database));
    },
  });
  return {
    async stop() {
      ending.abort();
      await Promise.all([asking, reading]);
    },
  };
}

/** What is due and not to be claimed is in another's hands: looked at again a little later. */
const pauseOf = (dueInMs: number | undefined): number =>
  Math.min(Math.max(dueInMs ?? LOOK_EVERY_MS, 250), LOOK_EVERY_MS);

async function followDue(dependencies: FollowerDependencies, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const due = await claimQuestions(dependencies.database, AT_ONCE);
    if (due.length === 0) return;
    const asked = await Promise.allSettled(due.map((question) => ask(dependencies, question)));
    const failed = asked.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

async function ask(dependencies: FollowerDependencies, question: Question): Promise<void> {
  const { database, log, channels } = dependencies;
  const { channelId, deviceId } = question;
  try {
    const channel = await findChannel(database, channelId);
    if (channel?.kind !== 'fleet') return;
    const youngestMs = await collectResponses(
      dependencies,
      await channels.fleet(channelId),
      channel,
      question,
    );
    await recordAnswer(database, channelId);
    if (youngestMs === undefined) await stopAsking(database, deviceId);
    await rescheduleQuestion(database, question, nextQuestionInMs(youngestMs ?? 0));
  } catch (error) {
    const pauseMs = await recordProblem(database, channelId, error);
    log.warn({ err: error, channel: channelId, pauseMs }, 'a channel was not asked; trying again');
    await rescheduleQuestion(database, question, pauseMs);
  }
}

async function readDue(dependencies: FollowerDependencies, due: DueReading): Promise<void> {
  const { database, log, channels } = dependencies;
  const { channelId, profilesDigest } = due;
  try {
    const channel = await findChannel(database, channelId);
    if (channel?.kind !== 'fleet') return;
    await readFleet(database, await channels.fleet(channelId), channel, profilesDigest);
    await recordReading(database, channelId, READ_DEVICES_EVERY_MS);
  } catch (error) {
    const pauseMs = await recordProblem(database, channelId, error);
    await readAgain(database, channelId);
    log.warn({ err: error, channel: channelId, pauseMs }, "a channel's devices were not read; trying again");
  }
}

/** Nothing of the channel is asked before then. @returns milliseconds @throws what is no problem of this channel alone */
async function recordProblem(database: Database, channelId: string, error: unknown): Promise<number> {
  if (!(error instanceof CataloguedError) || !/^(channel|secrets)\./.test(error.code)) throw error;
  return recordFailedReading(database, channelId, error.code, (failures) =>
    retryInMs(failures, error.retryAfterMs),
  );
}

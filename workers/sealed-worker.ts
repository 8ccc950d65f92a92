// What a worker needs to take sealed payloads alone: codec and converters, the check before each activity, and the ear for refusals.
// With it, that no local activity fails for ever.
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory, InjectedSinks, WorkerOptions } from '@temporalio/worker';
import type { RefusalSinks, RefusedKind } from '../workflows/authenticated.ts';
import { activityInput, activityResult, onlySealedFor, placed } from '../workflows/placed.ts';
import { createDataConverter, type PayloadKeys } from './codec.ts';
import { endsLastingErrors } from './lasting-errors.ts';

/** Something that Odette did not seal reached a workflow or an activity. */
export interface Refusal {
  readonly kind: RefusedKind | 'activity';
  /** Of the message, workflow type or activity. */
  readonly name: string;
  readonly workflowId: string;
}

export const sealedWorkerOptions = (
  keys: PayloadKeys,
  namespace: string,
  onRefusal: (refusal: Refusal) => void,
) =>
  ({
    dataConverter: createDataConverter(keys, namespace),
    interceptors: { activity: [takesSealedOnly(onRefusal), endsLastingErrors] },
    sinks: refusalSinks(onRefusal),
  }) satisfies Partial<WorkerOptions>;

const takesSealedOnly =
  (onRefusal: (refusal: Refusal) => void): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const { activityType } = info;
        const given = onlySealedFor(activityInput(activityType), input.args);
        if (given === undefined) {
          const { workflowId } = info.workflowExecution ?? { workflowId: '' };
          onRefusal({ kind: 'activity', name: activityType, workflowId });
          throw ApplicationFailure.nonRetryable('temporal.unauthenticated', 'temporal.unauthenticated');
        }
        return placed(activityResult(activityType), await next({ ...input, args: [given.body] }));
      },
    },
  });

const refusalSinks = (onRefusal: (refusal: Refusal) => void): InjectedSinks<RefusalSinks> => ({
  unauthenticated: {
    refused: {
      fn: ({ workflowId }, kind, name) => onRefusal({ kind, name, workflowId }),
      callDuringReplay: false,
    },
  },
});

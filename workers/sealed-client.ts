// What a Temporal client needs to talk to Odette's workflows: everything it sends is sealed for the place it goes to.
import type { ClientOptions, WorkflowClientInterceptor } from '@temporalio/client';
import { placed } from '../workflows/placed.ts';
import { createDataConverter, type PayloadKeys } from './codec.ts';

export const sealedClientOptions = (keys: PayloadKeys, namespace: string) =>
  ({
    dataConverter: createDataConverter(keys, namespace),
    interceptors: { workflow: [forItsPlace] },
  }) satisfies ClientOptions;

/** Every workflow and message has one argument. */
const only = (place: string, [body]: readonly unknown[]): unknown[] => [placed(place, body)];

const forItsPlace: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    next({ ...input, options: { ...input.options, args: only(input.workflowType, input.options.args) } }),
  signal: (input, next) => next({ ...input, args: only(input.signalName, input.args) }),
  signalWithStart: (input, next) =>
    next({
      ...input,
      signalArgs: only(input.signalName, input.signalArgs),
      options: { ...input.options, args: only(input.workflowType, input.options.args) },
    }),
  startUpdate: (input, next) => next({ ...input, args: only(input.updateName, input.args) }),
  startUpdateWithStart: (input, next) =>
    next({
      ...input,
      updateArgs: only(input.updateName, input.updateArgs),
      workflowStartOptions: {
        ...input.workflowStartOptions,
        args: only(input.workflowType, input.workflowStartOptions.args),
      },
    }),
};

// Takes what was sealed for its place alone, before any handler or workflow sees it: a signal that was not is ignored and noted, an
// update is rejected, a run that was started with anything else closes as failed. Of the workflows' bundle, for all of them.
import {
  ApplicationFailure,
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { activityInput, activityResult, onlySealedFor, placed, sealedFor } from './placed.ts';

export type RefusedKind = 'start' | 'signal' | 'update' | 'activity_result';

/** Told to the worker process, which writes it down for people. */
export interface RefusalSinks extends Sinks {
  readonly unauthenticated: { refused(kind: RefusedKind, name: string): void };
}

const { unauthenticated } = proxySinks<RefusalSinks>();

const failure = (): ApplicationFailure =>
  ApplicationFailure.nonRetryable('temporal.unauthenticated', 'temporal.unauthenticated');

function refuse(kind: RefusedKind, name: string): ApplicationFailure {
  unauthenticated.refused(kind, name);
  return failure();
}

const inbound: WorkflowInboundCallsInterceptor = {
  async execute(input, next) {
    const { workflowType } = workflowInfo();
    const given = onlySealedFor(workflowType, input.args);
    if (given === undefined) throw refuse('start', workflowType);
    return next({ ...input, args: [given.body] });
  },
  async handleSignal(input, next) {
    const given = onlySealedFor(input.signalName, input.args);
    if (given === undefined) return unauthenticated.refused('signal', input.signalName);
    return next({ ...input, args: [given.body] });
  },
  validateUpdate(input, next) {
    const given = onlySealedFor(input.name, input.args);
    if (given === undefined) throw refuse('update', input.name);
    next({ ...input, args: [given.body] });
  },
  async handleUpdate(input, next) {
    const given = onlySealedFor(input.name, input.args);
    // Its validator refused it; one without a validator comes here.
    if (given === undefined) throw refuse('update', input.name);
    return next({ ...input, args: [given.body] });
  },
};

/** Every activity has one argument. */
const placedInput = (activityType: string, [body]: readonly unknown[]) => [
  placed(activityInput(activityType), body),
];

function resultOf(activityType: string, result: unknown): unknown {
  const given = sealedFor(activityResult(activityType), result);
  if (given === undefined) throw refuse('activity_result', activityType);
  return given.body;
}

const outbound: WorkflowOutboundCallsInterceptor = {
  async scheduleActivity(input, next) {
    const { activityType, args } = input;
    return resultOf(activityType, await next({ ...input, args: placedInput(activityType, args) }));
  },
  async scheduleLocalActivity(input, next) {
    const { activityType, args } = input;
    return resultOf(activityType, await next({ ...input, args: placedInput(activityType, args) }));
  },
  async continueAsNew(input, next) {
    return next({ ...input, args: [placed(input.options.workflowType, input.args[0])] });
  },
};

export const interceptors = (): WorkflowInterceptors => ({ inbound: [inbound], outbound: [outbound] });

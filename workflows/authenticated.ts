// Takes what was sealed for its place alone, before any handler or workflow sees it: a signal that was not, or whose body is wrong, is ignored
// and noted, an update is rejected, a run that was started with anything else closes as failed. Of the workflows' bundle, for all of them.
import {
  ApplicationFailure,
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import type { SetupRefused } from './messages.ts';
import { wrongFields } from './message-bodies.ts';
import { activityInput, activityResult, onlySealedFor, placed, sealedFor } from './placed.ts';

/** The last two: sealed by Odette, with a body that the message does not have. */
export type RefusedKind = 'start' | 'signal' | 'update' | 'activity_result' | 'signal_body' | 'update_body';

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

/** As the wizard refuses an answer: the fields are named in the detail. */
function refuseBody(name: string, fields: readonly string[]): ApplicationFailure {
  unauthenticated.refused('update_body', name);
  const detail: SetupRefused = { refusals: fields.map((field) => ({ code: 'request.invalid', field })) };
  return ApplicationFailure.create({
    type: 'request.invalid',
    message: 'request.invalid',
    nonRetryable: true,
    details: [detail],
  });
}

/** What an update was sealed with. @throws ApplicationFailure where nothing was, or with a body that the message does not have */
function takenUpdate(name: string, args: readonly unknown[]): unknown {
  const given = onlySealedFor(name, args);
  if (given === undefined) throw refuse('update', name);
  const wrong = wrongFields(name, given.body);
  if (wrong.length > 0) throw refuseBody(name, wrong);
  return given.body;
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
    if (wrongFields(input.signalName, given.body).length > 0)
      return unauthenticated.refused('signal_body', input.signalName);
    return next({ ...input, args: [given.body] });
  },
  validateUpdate(input, next) {
    next({ ...input, args: [takenUpdate(input.name, input.args)] });
  },
  async handleUpdate(input, next) {
    // Its validator refused a wrong one; an update without a validator comes here.
    return next({ ...input, args: [takenUpdate(input.name, input.args)] });
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

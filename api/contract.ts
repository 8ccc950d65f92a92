// The whole admin API. Console and command line take their types from here (`import type`); the server and /openapi.json are made of it.
import { blueprints } from './contract/blueprints.ts';
import { devices } from './contract/devices.ts';
import { instance } from './contract/instance.ts';
import { integrations } from './contract/integrations.ts';
import { library } from './contract/library.ts';
import { people } from './contract/people.ts';
import { removal } from './contract/removal.ts';
import { replays } from './contract/replays.ts';
import { rollouts } from './contract/rollouts.ts';
import { setups } from './contract/setups.ts';
import type { AnswerOf, BodyOf, ParamsOf, QueryOf } from './contract/endpoint.ts';

/** By operation id. */
export const contract = {
  ...people,
  ...setups,
  ...integrations,
  ...library,
  ...blueprints,
  ...devices,
  ...removal,
  ...rollouts,
  ...replays,
  ...instance,
} as const;

export type Contract = typeof contract;
export type OperationId = keyof Contract;

/** Everything a client must give, and what it gets. */
export interface Operation<Id extends OperationId> {
  readonly method: Contract[Id]['method'];
  readonly path: Contract[Id]['path'];
  readonly params: ParamsOf<Contract[Id]>;
  readonly query: QueryOf<Contract[Id]>;
  readonly body: BodyOf<Contract[Id]>;
  readonly answer: AnswerOf<Contract[Id]>;
}
export type { Problem } from './contract/words.ts';

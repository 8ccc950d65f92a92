// The whole admin API. Console and command line take their types from here (`import type`); the server and /openapi.json are made of it.
import { appleAccess } from './apple-access.ts';
import { audit } from './audit.ts';
import { blueprints } from './blueprints.ts';
import { channels } from './channels.ts';
import { devices } from './devices.ts';
import { doctor } from './doctor.ts';
import { fleetRollouts } from './fleet-rollouts.ts';
import { instance } from './instance.ts';
import { integrations } from './integrations.ts';
import { iosKeyReaders } from './ios-key-readers.ts';
import { library } from './library.ts';
import { notifications } from './notifications.ts';
import { observedDevices } from './observed-devices.ts';
import { organization } from './organization.ts';
import { people } from './people.ts';
import { platformRemovals } from './platform-removals.ts';
import { pushCertificateRequests } from './push-certificate-requests.ts';
import { readiness } from './readiness.ts';
import { removal } from './removal.ts';
import { replays } from './replays.ts';
import { rollouts } from './rollouts.ts';
import { secondFactor } from './second-factor.ts';
import { rotations } from './rotations.ts';
import { setups } from './setups.ts';
import type { ResponseOf, BodyOf, ParamsOf, QueryOf } from './endpoint.ts';

/** By operation id. */
export const contract = {
  ...people,
  ...secondFactor,
  ...setups,
  ...integrations,
  ...iosKeyReaders,
  ...library,
  ...blueprints,
  ...channels,
  ...devices,
  ...doctor,
  ...removal,
  ...platformRemovals,
  ...rollouts,
  ...readiness,
  ...observedDevices,
  ...replays,
  ...fleetRollouts,
  ...rotations,
  ...appleAccess,
  ...pushCertificateRequests,
  ...audit,
  ...notifications,
  ...organization,
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
  readonly response: ResponseOf<Contract[Id]>;
}
export type { Problem } from './fields.ts';

// The command that does what the button of a device's page does.
import type { ResponseOf } from './odette-client.ts';

type Action = NonNullable<ResponseOf<'get /api/devices/{id}'>['nextStep']['action']>;

/** @param device its serial number or id; undefined: done in Okta */
export const STEP_COMMANDS: Readonly<Record<Action, (device: string) => string | undefined>> = {
  replay: (device) => `odette rollout replay ${device}`,
  check_device: (device) => `odette rollout start ${device}`,
  ask_okta: (device) => `odette device ask-okta ${device}`,
  decide_return: (device) => `odette device allow-return ${device}`,
  set_user: (device) => `odette device set-user ${device} LOGIN`,
  enroll_again: () => 'odette enrollment-code create --blueprint NAME',
  get_licenses: () => 'odette apps-and-books show',
  choose_blueprint: (device) => `odette device move ${device} --blueprint NAME`,
  open_okta: () => undefined,
};

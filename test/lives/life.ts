// A life of a device, as a person could tell it: what happens to it, in order. Made at random from a seed, and shrunk when it shows a fault.
import fc from 'fast-check';
import { ERROR_CASES, type ErrorCase } from '../harness/error-cases.ts';

/** Whom an enrollment code names. */
export type Named = 'its_user' | 'nobody' | 'another_user';

export type LifeEvent =
  | { readonly do: 'sleep' | 'power_off' | 'wake' }
  /** Erased, or management removed while there was no network: nobody tells the server. */
  | { readonly do: 'erase' }
  | { readonly do: 'check_out' }
  /** With a fresh code. `isAllowed`: an admin allows it where Odette asks one. */
  | { readonly do: 'come_back'; readonly names: Named; readonly isAllowed: boolean }
  /** The device gets another user, whom the admin names. */
  | { readonly do: 'change_owner' }
  /** Another logic board: the same serial number with another UDID. The old board never checks in again. */
  | { readonly do: 'change_board' }
  /** From a backup of its own: another push token. */
  | { readonly do: 'restore_backup' }
  | { readonly do: 'remove_okta_verify' | 'install_okta_verify' | 'sign_in' }
  | { readonly do: 'report_error'; readonly error: number; readonly times: number }
  | { readonly do: 'not_now'; readonly times: number }
  | { readonly do: 'lose_certificates'; readonly isOn: boolean }
  | { readonly do: 'respond_twice' }
  | { readonly do: 'renew' }
  | {
      readonly do: 'okta_admin';
      readonly action: 'suspend' | 'unsuspend' | 'deactivate' | 'activate' | 'delete';
    };

export interface Life {
  readonly family: 'Mac' | 'iPhone' | 'iPad';
  readonly isSupervised: boolean;
  readonly names: Named;
  /** Milliseconds between two events: some meet a rollout in its middle. */
  readonly events: readonly (LifeEvent & { readonly afterMs: number })[];
}

/** What a device may report instead of carrying a command out. */
export const ERRORS: readonly ErrorCase[] = ERROR_CASES.filter(
  ({ requestType }) => requestType === 'InstallApplication' || requestType === 'InstallProfile',
);

const named = fc.constantFrom<Named>('its_user', 'its_user', 'nobody', 'another_user');
const just = <Name extends LifeEvent['do']>(name: Name) => fc.constant({ do: name });

const event: fc.Arbitrary<LifeEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('sleep' as const, 'power_off' as const, 'wake' as const) }),
  },
  { weight: 2, arbitrary: just('erase') },
  { weight: 2, arbitrary: just('check_out') },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('come_back' as const), names: named, isAllowed: fc.boolean() }),
  },
  { weight: 2, arbitrary: just('change_owner') },
  { weight: 1, arbitrary: just('change_board') },
  { weight: 2, arbitrary: just('restore_backup') },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('remove_okta_verify' as const, 'install_okta_verify' as const, 'sign_in' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('report_error' as const),
      error: fc.nat(ERRORS.length - 1),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('not_now' as const), times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose_certificates' as const), isOn: fc.boolean() }) },
  { weight: 1, arbitrary: just('respond_twice') },
  { weight: 2, arbitrary: just('renew') },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('okta_admin' as const),
      action: fc.constantFrom(
        'suspend' as const,
        'unsuspend' as const,
        'deactivate' as const,
        'activate' as const,
        'delete' as const,
      ),
    }),
  },
) as fc.Arbitrary<LifeEvent>;

export const life: fc.Arbitrary<Life> = fc.record({
  family: fc.constantFrom<Life['family']>('Mac', 'Mac', 'iPhone', 'iPad'),
  isSupervised: fc.boolean(),
  names: named,
  events: fc.array(
    fc.tuple(event, fc.constantFrom<number>(0, 300, 1500, 4000)).map(
      ([what, afterMs]) => ({ ...what, afterMs }),
      (value) => {
        const { afterMs, ...what } = value as LifeEvent & { afterMs: number };
        return [what as LifeEvent, afterMs];
      },
    ),
    { maxLength: 7, size: 'max' },
  ),
});

// What a certificate workflow was told, over all its runs. Handlers only write it down; the loop decides.
import { setHandler } from '@temporalio/workflow';
import type { CertificateMemory } from '../domain/certificate-plan.ts';
import type { PayloadScope } from '../domain/profile-identifier.ts';
import type { DeviceConversation } from './device-conversation.ts';
import type { CarriedState, KeepCertificateInput } from './certificate-state.ts';
import {
  certificateNotNeededSignal,
  certificateWantedSignal,
  commandsRespondedSignal,
  deviceAuthenticatedSignal,
  deviceCheckedOutSignal,
  deviceEnrolledSignal,
  renewNowSignal,
  type Event,
} from './messages.ts';
import { SeenEvents } from './seen-events.ts';

export class CertificateSignals {
  integrationId: string | null;
  isWanted: boolean;
  /** The device has listed its profiles and certificates since anything changed. */
  isFresh: boolean;
  /** Its user's channel has, too. */
  isUserFresh: boolean;
  /** Somebody asked for a new certificate. */
  forced: boolean;
  /** Rollouts that asked for the proof. */
  proofRequests: number;
  /** Rises with everything that makes the present plan old. */
  changes = 0;
  /** Rises with what ends the wait for a delivery on its way. */
  interruptions = 0;
  isEnrolledAgain: boolean;
  readonly #seen: SeenEvents;

  constructor({ integrationId, carried }: KeepCertificateInput) {
    this.#seen = new SeenEvents(carried?.seenEvents);
    this.integrationId = integrationId ?? null;
    this.isWanted = carried?.isWanted ?? true;
    this.isFresh = carried?.isFresh ?? false;
    this.isUserFresh = carried?.isUserFresh ?? false;
    this.forced = carried?.forced ?? false;
    this.isEnrolledAgain = carried?.isEnrolledAgain ?? false;
    this.proofRequests = carried?.owesProof === true ? 1 : 0;
  }

  /** Registers every handler: call it before the first await. */
  listen(conversation: DeviceConversation): void {
    setHandler(commandsRespondedSignal, (responded) => conversation.onResponses(responded));
    setHandler(certificateWantedSignal, (event) => this.#onWanted(event));
    setHandler(renewNowSignal, (event) => this.#onRenewNow(event));
    setHandler(certificateNotNeededSignal, (event) => this.#onNotNeeded(event));
    setHandler(deviceAuthenticatedSignal, (event) => this.#onEnrollment(event));
    setHandler(deviceCheckedOutSignal, (event) => this.#onEnrollment(event));
    setHandler(deviceEnrolledSignal, (event) => {
      this.isEnrolledAgain = true;
      this.#onEnrollment(event);
    });
  }

  memory(): CertificateMemory {
    const { isFresh, isUserFresh, integrationId, isWanted, forced } = this;
    return { isFresh, isUserFresh, integrationId, isWanted, forced };
  }

  /** Whether anything changed since this call. */
  watch(): () => boolean {
    const seen = this.changes;
    return () => this.changes !== seen;
  }

  toCarried(): Pick<
    CarriedState,
    'isWanted' | 'isFresh' | 'isUserFresh' | 'forced' | 'isEnrolledAgain' | 'seenEvents'
  > {
    const { isWanted, isFresh, isUserFresh, forced, isEnrolledAgain } = this;
    return { isWanted, isFresh, isUserFresh, forced, isEnrolledAgain, seenEvents: this.#seen.newest() };
  }

  /** What the device listed may be so no longer. */
  outdate(): void {
    this.isFresh = false;
    this.isUserFresh = false;
  }

  /** These channels have listed what they hold. */
  listed(scopes: readonly PayloadScope[]): void {
    if (scopes.includes('System')) this.isFresh = true;
    if (scopes.includes('User')) this.isUserFresh = true;
  }

  #onWanted(event: Event & { readonly integrationId: string }): void {
    if (!this.#isNew(event)) return;
    if (!this.isWanted || this.integrationId !== event.integrationId) this.interruptions += 1;
    this.integrationId = event.integrationId;
    this.isWanted = true;
    this.proofRequests += 1;
  }

  #onRenewNow(event: Event): void {
    if (!this.#isNew(event)) return;
    this.forced = true;
    this.outdate();
  }

  #onNotNeeded(event: Event): void {
    if (!this.#isNew(event)) return;
    this.interruptions += 1;
    this.isWanted = false;
    this.outdate();
  }

  #onEnrollment(event: Event): void {
    if (!this.#isNew(event)) return;
    this.interruptions += 1;
    this.outdate();
  }

  #isNew({ eventId }: Event): boolean {
    if (!this.#seen.isNew(eventId)) return false;
    this.changes += 1;
    return true;
  }
}

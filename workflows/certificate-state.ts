// What keepCertificate begins with and carries over continue-as-new.
/** Plain JSON: it goes through continue-as-new. Only `deviceId` is given at the first start. */
export interface KeepCertificateInput {
  readonly deviceId: string;
  readonly integrationId?: string;
  readonly carried?: CarriedState;
}

export interface CarriedState {
  readonly isWanted: boolean;
  readonly isFresh: boolean;
  readonly isUserFresh: boolean;
  /** Deliveries made so far, over all runs: the next one's number follows. */
  readonly deliveries: number;
  /** Responses to the device's lists are told apart by it over all runs. */
  readonly cycle: number;
  readonly seenEvents: readonly string[];
  /** About the present certificate. */
  readonly warnings: number;
  readonly urgency: string;
  readonly isSilent: boolean;
  readonly forced: boolean;
  readonly isEnrolledAgain: boolean;
  /** Deliveries that failed, one after the other. */
  readonly failures: number;
  /** A rollout waits for the proof. */
  readonly owesProof: boolean;
}

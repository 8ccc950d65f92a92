// What the relay delivers to Temporal: a signal, with or without a start. The outbox row's id is the event id.

/** A signal's own fields; the relay adds `eventId`. */
export type SignalBody = Readonly<Record<string, unknown>>;

export type OutboxMessage =
  /** Told to a running workflow; if it is gone, the row closes as `gone`. */
  | {
      readonly kind: 'signal';
      readonly workflowId: string;
      readonly signal: string;
      readonly body: SignalBody;
    }
  /**
   * Brings the device to its desired state: signalWithStart of rollOutDevice. `ifNoneRuns`: nothing has changed, so that a rollout which
   * runs is left to its patience. `asksUserAgain`: a person wants another try, so a user who refused the app is asked once more.
   */
  | {
      readonly kind: 'rollOutDevice';
      readonly deviceId: string;
      readonly reason: string;
      readonly ifNoneRuns?: boolean;
      readonly asksUserAgain?: boolean;
    }
  /**
   * An answer, a contact or a new enrollment: told to the workflow if it runs; else, for a device in scope,
   * `rollOutDevice` is started with `desiredStateChanged`.
   */
  | {
      readonly kind: 'deviceSignal';
      readonly deviceId: string;
      readonly workflowId: string;
      readonly signal: string;
      readonly body: SignalBody;
      readonly startsRollout: boolean;
    }
  /** Tells keepCertificate something it must be told even if it does not run yet. */
  | {
      readonly kind: 'keepCertificate';
      readonly deviceId: string;
      readonly signal: string;
      readonly body: SignalBody;
    }
  /** A person wants Okta asked about a device now: `pollOktaTrust` is started if it does not run, and looks. */
  | { readonly kind: 'pollOktaTrust'; readonly integrationId: string }
  /** A fleet rollout began, or a person steered it: its workflow is started if it does not run, and looks. */
  | { readonly kind: 'rollOutFleet'; readonly fleetRolloutId: string }
  /** A rotation began, or a person steered it. */
  | { readonly kind: 'rotateSecret'; readonly rotationId: string }
  /** Starts the removal of a platform or an integration, or tells it that a person said something. */
  | {
      readonly kind: 'removePlatform';
      readonly removalId: string;
      readonly integrationId: string;
      readonly label: string;
    }
  /** Creates, changes or removes the sweeps (Temporal Schedules) of an integration. `checksNow`: the daily check runs at once, too. */
  | {
      readonly kind: 'sweeps';
      readonly integrationId: string;
      readonly wanted: boolean;
      readonly checksNow?: boolean;
    };

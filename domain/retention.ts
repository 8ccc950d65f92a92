// How long what is routine is kept in the tables. The audit trail is kept: how long is for its owner to say.

/** Days. Commands last longer than the histories that name them (30 days), a device's story two lives of a certificate. */
export const KEPT_DAYS = {
  outbox: 14,
  notifications: 30,
  commands: 90,
  unparsedResponses: 30,
  events: 7,
  idempotencyKeys: 2,
  timeline: 730,
  runs: 730,
  falls: 30,
  fleetRollouts: 90,
};

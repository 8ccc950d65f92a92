// Kinds of entries of the audit trail, by what somebody looks for; each is areas of actions.

export const AUDIT_KINDS = {
  people: ['person.', 'session.', 'token.', 'sign_in_policy.'],
  integrations: [
    'integration.',
    'setup.',
    'platform.',
    'removal.',
    'reissue.',
    'notification_target.',
    'channel.',
    'organization.',
  ],
  library: ['library_item.', 'blueprint.', 'fleet_rollout.'],
  devices: ['device.', 'enrollment.', 'enrollment_code.', 'certificate.', 'identity.', 'bootstrap_token.'],
  rollouts: ['rollout.', 'replay.'],
  apple: ['push_certificate.', 'apps_and_books.', 'device_address.'],
  secrets: ['secret.'],
  temporal: ['temporal.'],
} as const satisfies Record<string, readonly string[]>;

export type AuditKind = keyof typeof AUDIT_KINDS;

/** The most frequent action by far: lists fold it. */
export const SECRET_USED = 'secret.used';

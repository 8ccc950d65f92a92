// Where a secret that Okta no longer takes is replaced.
import { AnchorLink } from '../components/links.tsx';
import type { ResponseOf } from '../queries.ts';

type Secret = ResponseOf<'listRotationPlans'>['items'][number]['kind'];

/** Where a refusal says that somebody replaced it in Okta. */
export const ROTATION_LABELS: Readonly<Record<Secret, string>> = {
  client_secret: 'Enter the new client secret',
  private_key: 'Replace the key',
  challenge_password: 'Enter the new password',
  ios_secret_key: 'Rotate the secret key',
};

export function ToRotation({ integrationId, label }: { integrationId: string; label: string }) {
  return (
    <AnchorLink to="/integrations/$integrationId/rotation" params={{ integrationId }} size="sm">
      {label}
    </AnchorLink>
  );
}

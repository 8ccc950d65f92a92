// Where a secret that Okta no longer takes is replaced.
import { AnchorLink } from '../components/links.tsx';

export function ToRotation({ integrationId, label }: { integrationId: string; label: string }) {
  return (
    <AnchorLink to="/integrations/$integrationId/rotation" params={{ integrationId }} size="sm">
      {label}
    </AnchorLink>
  );
}

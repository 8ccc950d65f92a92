// Where an integration leads to first: to what is delivered, or to what is only observed.
import { ButtonLink } from '../components/links.tsx';

export function MainLink({ integrationId, isObserving }: { integrationId: string; isObserving: boolean }) {
  return isObserving ? (
    <ButtonLink to="/integrations/$integrationId/observed" params={{ integrationId }}>
      Observed devices
    </ButtonLink>
  ) : (
    <ButtonLink to="/library/okta-verify" search={{ integration: integrationId }}>
      Go to library item
    </ButtonLink>
  );
}

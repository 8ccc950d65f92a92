// The pages above a page of an integration.
import type { Crumb } from '../components/trail.tsx';
import { useApiQuery } from '../queries.ts';

export function useIntegrationTrail(integrationId: string): readonly Crumb[] {
  const { data } = useApiQuery('listIntegrations', {});
  const name = data?.items.find(({ id }) => id === integrationId)?.name ?? 'Integration';
  return [
    { label: 'Integrations', to: { to: '/integrations' } },
    { label: name, to: { to: '/integrations/$integrationId', params: { integrationId } } },
  ];
}

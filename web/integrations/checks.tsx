// The newest check of the tenant, daily or just now: prerequisites, custom domains, Okta's authority.
import { Alert, Button, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../client.ts';
import { Moment } from '../components/moment.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { Prerequisites } from '../setup/prerequisites.tsx';
import { useMay } from '../shell/session.ts';
import type { Integration } from './integration.ts';
import { Section } from './section.tsx';
import { Remedy } from '../components/remedy.tsx';

export function Checks({ integration: { id, check } }: { integration: Integration }) {
  const mayAct = useMay('operator');
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () => call('checkIntegration', { params: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['getIntegration'] }),
  });
  const action = mayAct && (
    <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
      Check again
    </Button>
  );
  return (
    <Section title="Prerequisites in Okta" action={action}>
      <ProblemAlert error={again.error} />
      {check === null ? (
        <Text size="sm">Not checked yet. Odette checks daily.</Text>
      ) : (
        <>
          <Text size="sm">
            Checked <Moment at={check.at} />. Odette checks daily.
          </Text>
          {check.failure && (
            <Alert color="red" title={check.failure.title}>
              <Remedy text={check.failure.remedy} />
            </Alert>
          )}
          {check.strayDomains.map((host) => (
            <Alert key={host} color="orange" title={`${host} does not lead to this tenant`}>
              Remove it from the custom domains, or set it up in Okta: Customizations › Brands › Domains.
            </Alert>
          ))}
          {check.authorityChange && (
            <Alert color="orange" title="Okta's SCEP server presents different certificates">
              <Moment at={check.authorityChange.at} />: {check.authorityChange.text}
            </Alert>
          )}
          <Prerequisites list={check.items.filter(({ id: one }) => one !== 'adaptive_mfa')} confirmed={[]} />
        </>
      )}
    </Section>
  );
}

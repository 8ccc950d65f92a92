// The admin's word that nobody is locked out: Okta's policy no longer demands managed devices of the users named above it.
import { Checkbox, Text } from '@mantine/core';

export interface PolicyLifted {
  readonly value: boolean;
  readonly set: (value: boolean) => void;
}

export function PolicyLiftedBox({ lifted }: { lifted: PolicyLifted }) {
  return (
    <>
      <Text size="sm" mt="xs">
        A policy in Okta that requires managed devices locks them out. Lift it first: Security ›
        Authentication Policies.
      </Text>
      <Checkbox
        mt="xs"
        label="No policy in Okta requires managed devices for these users"
        checked={lifted.value}
        onChange={(event) => lifted.set(event.currentTarget.checked)}
      />
    </>
  );
}
